//! A plugin that is not written in Rust. Its toolchain's component imports WASI, which the host serves from an empty context.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{Host, PluginFolder, finished, node_modules, repository, run};

#[test]
fn a_javascript_plugin_that_imports_wasi_is_packed_loaded_and_called() {
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        let file = packed(folder.path());
        let inspected = chm_builder::inspect(&std::fs::read(&file).expect("the file")).expect("a plugin");
        assert!(inspected.wasi, "this claim is about a component that imports WASI");
        let bytes = std::fs::read(&file).expect("the file");
        let plugins = PluginFolder::empty().with_file("alert-javascript.wasm", &bytes);
        let host = Host::with_bundled().plugins(plugins).start().await;

        let plugin = host.get("/api/v1/plugins").await.expect(200).json()["data"][0].clone();
        assert_eq!((&plugin["id"], &plugin["state"]), (&json!("alert-javascript"), &json!("active")), "{plugin}");
        let send = async |severity: &str| {
            let answer = host.post("/api/v1/alerts/test", &json!({"severity": severity, "title": "Disk"})).await;
            answer.expect(200).json()["data"][0].clone()
        };
        let delivered = json!({"sink": "alert-javascript", "state": "delivered", "reference": "js-test"});
        assert_eq!(send("warning").await, delivered);
        let waiting = send("critical").await;
        assert_eq!(waiting["state"], "waiting", "{waiting}");
        assert_eq!(waiting["reason"], "critical alerts wait");
        assert!(waiting["retryInMs"].as_u64().is_some_and(|pause| pause >= 7000), "{waiting}");
        assert!(host.stderr().contains("delivered: [WARNING] Disk"), "{}", host.stderr());
    });
}

/// The component, made by its own toolchain, with its manifest put in by the command that authors use.
fn packed(folder: &Path) -> PathBuf {
    let source = repository().join("tests/javascript");
    let interface = folder.join("wit/deps/chm-plugin");
    std::fs::create_dir_all(&interface).expect("a folder");
    std::fs::copy(source.join("wit/world.wit"), folder.join("wit/world.wit")).expect("a copy");
    for entry in std::fs::read_dir(repository().join("wit")).expect("wit/") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "wit") {
            std::fs::copy(&path, interface.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
    let toolchain = node_modules(&source, "test-javascript").join(".bin/componentize-qjs");
    finished(
        "componentize-qjs",
        Command::new(toolchain)
            .args(["--wit", "wit", "--world", "plugin", "--sync", "--output", "component.wasm", "--js"])
            .arg(source.join("plugin.js"))
            .current_dir(folder)
            .stdin(Stdio::null()),
    );
    finished(
        "plugin pack",
        Command::new(env!("CARGO_BIN_EXE_chm-host"))
            .args(["plugin", "pack", "component.wasm"])
            .arg(source.join("plugin.toml"))
            .args(["--out", "."])
            .current_dir(folder)
            .stdin(Stdio::null()),
    );
    folder.join("alert-javascript.wasm")
}
