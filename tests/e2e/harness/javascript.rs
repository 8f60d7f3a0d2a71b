//! Plugins in JavaScript, made as their authors would: by the script of their `package.json`, and `chm-host plugin pack`.

use std::path::Path;
use std::process::{Command, Stdio};

use super::built::repository;
use super::npm::{finished, node_modules};

/// Where the toolchain's version is pinned.
const PINNED: &str = "plugins/auth-basic-file";

/// Makes the plugin of a folder of the repository and returns its file. Works on a copy: nothing is written into the repository.
pub fn javascript_plugin(source: &str) -> Vec<u8> {
    changed_javascript_plugin(source, |code| code)
}

/// As [`javascript_plugin`], with other code.
pub fn changed_javascript_plugin(source: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    let root = repository();
    let copy = tempfile::tempdir().expect("a folder");
    let folder = copy.path().join(source);
    copy_files(&root.join("wit"), &copy.path().join("wit"));
    copy_files(&root.join(source), &folder);
    copy_files(&root.join(source).join("wit"), &folder.join("wit"));
    let code = folder.join("plugin.js");
    std::fs::write(&code, change(std::fs::read_to_string(&code).expect("its code"))).expect("a file");
    let packages = node_modules(&root.join(PINNED), "test-javascript");
    std::os::unix::fs::symlink(packages, folder.join("node_modules")).expect("a link");
    finished("npm run build", Command::new("npm").args(["run", "build"]).current_dir(&folder).stdin(Stdio::null()));
    finished(
        "plugin pack",
        Command::new(env!("CARGO_BIN_EXE_chm-host"))
            .args(["plugin", "pack", "component.wasm", "plugin.toml", "--out", "made"])
            .current_dir(&folder)
            .stdin(Stdio::null()),
    );
    let mut made = std::fs::read_dir(folder.join("made")).expect("a folder");
    std::fs::read(made.next().expect("a file").expect("an entry").path()).expect("the plugin")
}

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
}
