//! The OpenAPI document, and a client that a stock generator makes of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{PluginFolder, command, finished, node_modules, repository, run, shared};

/// Rewrites the checked-in document.
const REWRITE: &str = "cargo run -- openapi --plugins target/plugins --out openapi/chm.json";

fn checked_in() -> PathBuf {
    repository().join("openapi/chm.json")
}

#[test]
fn the_document_in_the_repository_is_the_one_of_the_bundled_plugins() {
    let folder = PluginFolder::bundled();
    let output = command(&["openapi", "--plugins"]).arg(folder.path()).output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = String::from_utf8(output.stdout).expect("text");
    let kept = std::fs::read_to_string(checked_in()).unwrap_or_default();
    if let Some(line) = difference(&kept, &made) {
        panic!("openapi/chm.json differs from what the host serves, {line}\nto rewrite it: {REWRITE}");
    }
}

/// Where two texts part.
fn difference(kept: &str, made: &str) -> Option<String> {
    if kept.trim_end() == made.trim_end() {
        return None;
    }
    let (mut kept, mut made) = (kept.lines(), made.lines());
    for number in 1.. {
        match (kept.next(), made.next()) {
            (None, None) => break,
            (one, other) if one == other => {}
            (one, other) => {
                return Some(format!("first in line {number}:\n- {}\n+ {}", one.unwrap_or(""), other.unwrap_or("")));
            }
        }
    }
    None
}

#[test]
fn the_served_document_is_the_printed_one_in_both_forms() {
    run(async {
        let host = shared().await;
        let served = host.get("/openapi.json").await.expect(200).json();
        let folder = PluginFolder::bundled();
        let output = command(&["openapi", "--plugins"]).arg(folder.path()).output().expect("a process");
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(served, printed);
        let yaml = host.get("/openapi.yaml").await.expect(200).text();
        assert!(yaml.starts_with("openapi:") && yaml.contains("/api/v1/tables/running-queries"), "{:.200}", yaml);
        let ids: Vec<&str> = served["paths"]
            .as_object()
            .expect("paths")
            .values()
            .flat_map(|methods| methods.as_object().expect("methods").values())
            .map(|operation| operation["operationId"].as_str().expect("an operation id"))
            .collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "operation ids are unique");
    });
}

#[test]
fn swagger_ui_needs_nothing_from_elsewhere() {
    run(async {
        let host = shared().await;
        let page = host.get("/docs").await.expect(200);
        assert!(page.header("content-type").starts_with("text/html"));
        let text = page.text();
        assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
        for path in ["/docs/swagger-ui.js", "/docs/swagger-ui.css", "/docs/start.js"] {
            assert!(text.contains(path), "the page does not name {path}");
            let file = host.get(path).await.expect(200);
            assert!(!file.body.is_empty(), "{path}");
            assert_eq!(file.header("x-content-type-options"), "nosniff", "{path}");
        }
        assert!(host.get("/docs/start.js").await.text().contains("/openapi.json"));
    });
}

#[test]
fn a_generated_typescript_client_type_checks_and_calls_a_panel_and_a_tool() {
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        let source = repository().join("tests/client");
        for file in ["package.json", "tsconfig.json", "call.ts"] {
            std::fs::copy(source.join(file), folder.path().join(file)).expect("a copy");
        }
        let modules = node_modules(&source, "test-client");
        std::os::unix::fs::symlink(&modules, folder.path().join("node_modules")).expect("a link");
        let generator = modules.join("openapi-typescript/bin/cli.js");
        finished(
            "openapi-typescript",
            node(folder.path()).arg(generator).arg(checked_in()).args(["-o", "schema.d.ts"]),
        );
        let compiler = modules.join("typescript/bin/tsc");
        finished("tsc", node(folder.path()).arg(compiler).args(["-p", "."]));
        let said = finished("the client", node(folder.path()).arg("out/call.js").arg(shared().await.url()));
        let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(said["names"][0], "default", "{said}");
        assert!(said["databases"].as_u64().is_some_and(|count| count >= 2), "{said}");
    });
}

fn node(folder: &Path) -> Command {
    let mut command = Command::new("node");
    command.current_dir(folder).stdin(Stdio::null());
    command
}
