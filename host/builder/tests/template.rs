//! A new plugin builds as it is, in every role, and its own tests pass.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use chm_builder::{BuildEnv, Builder, new_plugin};
use chm_manifest::Role;

#[test]
fn a_new_plugin_of_every_role_builds_as_it_is_and_its_tests_pass() {
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let sdk = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/rust")).unwrap();
    for role in Role::ALL {
        let id = format!("my-{role}").parse().unwrap();
        let folder = new_plugin(scratch.path(), &id, role, &sdk).unwrap();
        // All in one workspace here, so that what they share is compiled once.
        let cargo = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let (package, _) = cargo.split_once("# Small rather than quick").unwrap();
        fs::write(folder.join("Cargo.toml"), package).unwrap();
    }
    fs::write(scratch.path().join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"my-*\"]\n").unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    let builder = Builder::new(BuildEnv::from_process()).with_target_dir(&target);
    let built = builder.build(scratch.path(), &scratch.path().join("out"), &|_| {}).unwrap();
    let mut roles: Vec<_> = built.iter().flat_map(|plugin| plugin.roles.clone()).collect();
    roles.sort_unstable();
    assert_eq!(roles, Role::ALL);
    // Natively, as an author does; what only the compiler uses (macros) is compiled already.
    let tests = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--release", "--lib", "--workspace", "--target-dir"])
        .arg(&target)
        .current_dir(scratch.path())
        .output()
        .unwrap();
    let said = [tests.stdout, tests.stderr].concat();
    assert!(tests.status.success(), "{}", String::from_utf8_lossy(&said));
}
