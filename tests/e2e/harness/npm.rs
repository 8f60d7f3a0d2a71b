//! Packages and programs of the npm world.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs it to its end and returns what it wrote.
#[track_caller]
pub fn finished(what: &str, command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}; this claim needs node and npm"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}:\n{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// The packages that the lock file of a folder names, fetched once per lock file and kept in the user's cache as `name`.
pub fn node_modules(source: &Path, name: &str) -> PathBuf {
    use sha2::{Digest, Sha256};
    let lock = std::fs::read(source.join("package-lock.json")).expect("a lock file");
    let digest = hex::encode(Sha256::digest(&lock));
    let cache = chm_embedded::xdg::cache().expect("HOME or XDG_CACHE_HOME").join(name);
    let kept = cache.join(&digest[..16]);
    if !kept.exists() {
        std::fs::create_dir_all(&cache).expect("a folder");
        let fresh = tempfile::tempdir_in(&cache).expect("a folder");
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(source.join(file), fresh.path().join(file)).expect("a copy");
        }
        // Not `npm ci`: it refuses a lock file without the optional packages for systems that the registry never had.
        let install = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
        finished("npm install", Command::new("npm").args(install).current_dir(fresh.path()).stdin(Stdio::null()));
        // Another process may have been first, with the same.
        if std::fs::rename(fresh.path(), &kept).is_ok() {
            let _ = fresh.keep();
        }
    }
    kept.join("node_modules")
}
