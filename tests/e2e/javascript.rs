//! A plugin that is not written in Rust. Its toolchain's component imports WASI, which the host serves from an empty context.

use serde_json::json;

use crate::harness::{Host, PluginFolder, javascript_plugin, run};

#[test]
fn a_javascript_plugin_that_imports_wasi_is_packed_loaded_and_called() {
    run(async {
        let bytes = javascript_plugin("tests/javascript");
        let inspected = chm_builder::inspect(&bytes).expect("a plugin");
        assert!(inspected.wasi, "this claim is about a component that imports WASI");
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
