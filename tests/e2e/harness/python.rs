//! Packages of the Python world.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::npm::finished;

/// A Python that has what the `requirements.txt` of a folder names, made once per such file and kept in the user's cache as `name`.
pub fn python_with(source: &Path, name: &str) -> PathBuf {
    use sha2::{Digest, Sha256};
    let requirements = source.join("requirements.txt");
    let version = finished("python3", Command::new("python3").arg("--version").stdin(Stdio::null()));
    let wanted = [version.as_bytes(), &std::fs::read(&requirements).expect("a list of packages")].concat();
    let cache = chm_embedded::xdg::cache().expect("HOME or XDG_CACHE_HOME").join(name);
    let kept = cache.join(&hex::encode(Sha256::digest(&wanted))[..16]);
    if !kept.exists() {
        std::fs::create_dir_all(&cache).expect("a folder");
        let fresh = tempfile::tempdir_in(&cache).expect("a folder");
        let venv = ["-m", "venv", "--symlinks"];
        finished("python3 -m venv", Command::new("python3").args(venv).arg(fresh.path()).stdin(Stdio::null()));
        let mut install = Command::new(fresh.path().join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"]);
        finished("pip install", install.arg(&requirements).stdin(Stdio::null()));
        // Another process may have been first, with the same. The scripts in it do not survive the move, its modules do.
        if std::fs::rename(fresh.path(), &kept).is_ok() {
            let _ = fresh.keep();
        }
    }
    kept.join("bin/python")
}
