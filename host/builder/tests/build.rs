//! Really builds guests: the compiler is found or made, cargo runs, a component comes out.
//!
//! The guests here use the plugin interface directly, without the SDK, so that this crate is tested by itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use chm_builder::{BuildEnv, BuildError, Builder, inspect, wit_text};
use chm_manifest::Role;

const SINK: &str = r#"
wit_bindgen::generate!({ path: "WIT", world: "alert-sink-plugin" });
use chm::plugin::log;
use exports::chm::plugin::alert_sink::{Alert, DeliveryFailure, Description, Guest, Receipt};

struct Sink;

impl Guest for Sink {
    fn describe() -> Description {
        Description { summary: "Writes alerts into the log.".to_string() }
    }

    fn deliver(alert: Alert) -> Result<Receipt, DeliveryFailure> {
        log::write(log::Level::Info, &alert.text);
        Ok(Receipt { reference: None })
    }
}

export!(Sink);
"#;

const CARGO: &str = r#"
[package]
name = "NAME"
version = "0.1.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[dependencies]
wit-bindgen = "0.63"
"#;

const RELEASE: &str =
    "[workspace]\n[profile.release]\nopt-level = \"s\"\nlto = true\ncodegen-units = 1\nstrip = true\n";

fn put(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes a plugin's folder; `workspace` is added to its Cargo.toml.
fn write_plugin(folder: &Path, id: &str, code: &str, workspace: &str) {
    let wit = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap();
    put(folder.join("Cargo.toml"), &(CARGO.replace("NAME", id) + workspace));
    put(folder.join("src/lib.rs"), &code.replace("WIT", &wit.display().to_string()));
    let manifest = "id = \"ID\"\nversion = \"0.1.0\"\napi = \"0.1\"\nsummary = \"Writes alerts into the log.\"\n";
    put(folder.join("plugin.toml"), &manifest.replace("ID", id));
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn builder() -> Builder {
    Builder::new(BuildEnv::from_process()).with_target_dir(Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests"))
}

fn quiet(_: &chm_builder::Step) {}

#[test]
fn a_folder_becomes_a_component_with_its_manifest_role_and_imports() {
    let folder = scratch();
    let (source, out) = (folder.path().join("sink"), folder.path().join("out"));
    write_plugin(&source, "sink-log", SINK, RELEASE);
    let build = || builder().build(&source, &out, &quiet).unwrap().remove(0);

    let built = build();
    assert!(built.rebuilt);
    assert_eq!(built.path, out.join("sink-log.wasm"));
    assert_eq!(built.roles, [Role::AlertSink]);
    assert_eq!(built.exports, ["chm:plugin/alert-sink@0.1.0"]);
    // A component lists only what its code uses.
    assert_eq!(built.imports, ["chm:plugin/log@0.1.0"]);
    assert_eq!(built.sha256.len(), 64);

    let bytes = fs::read(&built.path).unwrap();
    assert_eq!(bytes.len() as u64, built.bytes);
    let inspection = inspect(&bytes).unwrap();
    assert_eq!(inspection.manifest.id.as_str(), "sink-log");
    assert_eq!(inspection.api, [inspection.manifest.api]);
    assert!(!inspection.wasi);
    let wit = wit_text(&bytes).unwrap();
    assert!(wit.contains("interface alert-sink") && wit.contains("record alert"), "{wit}");
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains(env!("CARGO_TARGET_TMPDIR")), "the file tells where it was built");

    let again = build();
    assert!(!again.rebuilt, "nothing changed");
    assert_eq!(again.sha256, built.sha256);

    write_plugin(&source, "sink-log", &SINK.replace("Level::Info", "Level::Warn"), RELEASE);
    let changed = build();
    assert!(changed.rebuilt);
    assert_ne!(changed.sha256, built.sha256);

    fs::write(&changed.path, "damaged").unwrap();
    assert!(build().rebuilt, "a file that is not what was built is built again");
    assert_eq!(build().sha256, changed.sha256);
}

#[test]
fn a_workspace_of_plugins_is_built_at_once_and_the_same_in_any_folder() {
    let digests = ["one", "two with space"].map(|place| {
        let folder = scratch();
        let (source, out) = (folder.path().join(place), folder.path().join("out"));
        put(source.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\n[profile.release]\nopt-level = \"s\"\nlto = true\ncodegen-units = 1\nstrip = true\n");
        write_plugin(&source.join("a"), "sink-a", SINK, "");
        write_plugin(&source.join("b"), "sink-b", SINK, "");
        let built = builder().build(&source, &out, &quiet).unwrap();
        built.into_iter().map(|plugin| (plugin.id.to_string(), plugin.sha256)).collect::<Vec<_>>()
    });
    let ids: Vec<_> = digests[0].iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["sink-a", "sink-b"]);
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn code_that_does_not_compile_is_refused_with_the_compilers_words() {
    let folder = scratch();
    let source = folder.path().join("sink");
    write_plugin(&source, "sink-log", &SINK.replace("reference: None", "colour: 1"), RELEASE);
    let out = folder.path().join("out");
    let error = builder().build(&source, &out, &quiet).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, BuildError::Compile { .. }), "{said}");
    assert!(said.contains("colour") && said.contains("src/lib.rs"), "{said}");
    assert!(!out.join("sink-log.wasm").exists());
}

#[test]
fn a_package_that_gives_no_plugin_is_refused_with_what_to_change() {
    let folder = scratch();
    let cases = [
        ("no-module", SINK, CARGO.replace("cdylib", "rlib") + RELEASE, "crate-type = [\"cdylib\"]"),
        ("no-role", "pub fn nothing() {}", CARGO.to_owned() + RELEASE, "exports no role"),
        ("bad-package", SINK, "[package]\ncolour = 1\n".to_owned(), "Cargo.toml"),
    ];
    for (id, code, cargo, word) in cases {
        let source = folder.path().join(id);
        write_plugin(&source, id, code, "");
        put(source.join("Cargo.toml"), &cargo.replace("NAME", id));
        let said = builder().build(&source, &folder.path().join("out"), &quiet).unwrap_err().to_string();
        assert!(said.contains(word), "{id}: {said}");
    }
}

#[test]
fn a_lock_file_that_does_not_fit_any_more_is_named_with_what_to_do() {
    let folder = scratch();
    write_plugin(folder.path(), "sink-log", SINK, "");
    put(folder.path().join("Cargo.toml"), "[package]\nname = \"sink-log\"\nedition = \"2024\"\n[workspace]\n");
    put(folder.path().join("Cargo.lock"), "version = 4\n");
    let error = builder().build(folder.path(), &folder.path().join("out"), &quiet).unwrap_err();
    assert!(matches!(error, BuildError::StaleLock { .. }), "{error:?}");
    assert!(error.to_string().contains("cargo update --workspace"), "{error}");
}
