//! Plugin files that a host does not take: each is refused with what to do, and everything else goes on.

use serde_json::{Value, json};

use crate::harness::{Host, PluginFolder, Receiver, engine, guest, run};

async fn found(host: &Host, id: &str) -> Value {
    let plugins = host.get("/api/v1/plugins").await.expect(200).rows();
    plugins
        .into_iter()
        .find(|plugin| plugin["id"] == id || plugin["file"] == id)
        .unwrap_or_else(|| panic!("no plugin {id}"))
}

/// Claims that it was refused with these words, and that the bundled plugins serve.
async fn refused(host: &Host, id: &str, words: &[&str]) {
    let plugin = found(host, id).await;
    assert_eq!(plugin["state"], "refused", "{plugin}");
    let reason = plugin["reason"].as_str().expect("a reason");
    for word in words {
        assert!(reason.contains(word), "{id}: `{word}` is not in: {reason}");
    }
    host.logged("refused").await;
    host.get("/api/v1/tables/disks").await.expect(200);
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(offset) = bytes[at..].windows(from.len()).position(|window| window == from.as_bytes()) {
        bytes[at + offset..at + offset + to.len()].copy_from_slice(to.as_bytes());
        at += offset + to.len();
    }
    bytes
}

#[test]
fn files_that_are_no_plugins_are_refused_one_by_one() {
    run(async {
        let works = std::fs::read(guest("misbehaves")).expect("a file");
        let another_api = ["types", "clickhouse", "log", "panels", "alert-sink", "toolset"]
            .iter()
            .fold(works.clone(), |bytes, name| {
                replaced(&bytes, &format!("chm:plugin/{name}@0.1.0"), &format!("chm:plugin/{name}@0.2.0"))
            });
        let stranger = replaced(&works, "chm:plugin/clickhouse@0.1.0", "chm:plugin/clackhouse@0.1.0");
        // The preamble of a module: version 1, layer 0.
        let module = b"\0asm\x01\0\0\0".to_vec();
        let folder = PluginFolder::bundled()
            .with_file("a-text.wasm", b"This is no component.")
            .with_file("b-empty.wasm", b"")
            .with_file("c-module.wasm", &module)
            .with_file("d-half.wasm", &works[..works.len() / 2])
            .with_file("e-another-api.wasm", &another_api)
            .with_file("g-no-manifest.wasm", b"\0asm\x0d\0\x01\0")
            .with_file("notes.txt", b"Other files are nobody's business.");
        // Sparse: nothing is written, and nothing may be read.
        let large = std::fs::File::create(folder.path().join("f-large.wasm")).expect("a file");
        large.set_len(33 << 20).expect("a length");
        std::fs::create_dir(folder.path().join("h-folder.wasm")).expect("a folder");
        std::os::unix::fs::symlink("nowhere", folder.path().join("i-dangling.wasm")).expect("a link");
        let grant = "[plugins.misbehaves.grants]\nclickhouse = { hosts = \"all\" }";
        let host = Host::with_bundled().plugins(folder).config(grant).start().await;
        let cases: [(&str, &[&str]); 9] = [
            ("a-text.wasm", &["component"]),
            ("b-empty.wasm", &["component"]),
            ("c-module.wasm", &["module", "component"]),
            ("d-half.wasm", &[]),
            ("e-another-api.wasm", &["0.2.0", "0.1.0", "rebuild"]),
            ("f-large.wasm", &["33", "32"]),
            ("g-no-manifest.wasm", &["manifest"]),
            ("h-folder.wasm", &[]),
            ("i-dangling.wasm", &["cannot be read"]),
        ];
        for (file, words) in cases {
            refused(&host, file, words).await;
        }
        let plugins = host.get("/api/v1/plugins").await.expect(200).rows();
        assert!(plugins.iter().all(|plugin| plugin["file"] != "notes.txt"));
        let ours = plugins.iter().filter(|plugin| plugin["state"] == "active").count();
        assert_eq!(ours, crate::harness::bundled().len(), "{plugins:?}");

        let host = Host::with_bundled()
            .plugins(PluginFolder::bundled().with_file("stranger.wasm", &stranger))
            .config(grant)
            .start()
            .await;
        refused(&host, "misbehaves", &["clackhouse", "does not offer"]).await;
    });
}

#[test]
fn descriptions_that_no_host_should_take_are_refused() {
    run(async {
        let cases: [(&str, &[&str]); 14] = [
            ("traps", &["describe", "trap"]),
            ("loops", &["describe", "processor time"]),
            ("allocates", &["describe", "memory"]),
            ("repeats", &["twin", "twice"]),
            ("repeated-tool", &["works", "twice"]),
            ("bad-id", &["lower-case"]),
            ("bad-sql", &["works", "file"]),
            ("no-sql", &["works", "queries"]),
            ("foreign-feature", &["works", "somebody-else"]),
            ("reserved-parameter", &["hostId"]),
            ("bad-default", &["default", "`n`"]),
            ("too-many-rows", &["row-cap"]),
            ("bad-schema", &["input-schema", "object"]),
            ("nothing", &[]),
        ];
        for (how, words) in cases {
            let host = Host::with_bundled()
                .guest("describes-wrongly")
                .config("[plugins.describes-wrongly.grants]\nclickhouse = { hosts = \"all\" }")
                .config(&format!("[plugins.describes-wrongly.settings]\nhow = \"{how}\""))
                .start()
                .await;
            if words.is_empty() {
                assert_eq!(found(&host, "describes-wrongly").await["state"], "active", "{how}");
                host.get("/api/v1/tables/describes-wrongly.works").await.expect(200);
            } else {
                refused(&host, "describes-wrongly", words).await;
                // Nothing of it is entered.
                host.get("/api/v1/tables/describes-wrongly.works").await.expect(404);
                host.get("/api/v1/tables/describes-wrongly.twin").await.expect(404);
            }
        }
    });
}

#[test]
fn missing_grants_are_named_at_once_with_the_lines_that_grant_them() {
    run(async {
        let receiver = Receiver::open().await;
        let config = format!(
            "[endpoints.receiver]\nurl = \"{}\"\n[plugins.wants-much.settings]\ntoken = \"a-token\"\n",
            receiver.url()
        );
        let host = Host::with_bundled().guest("wants-much").config(&config).start().await;
        let plugin = found(&host, "wants-much").await;
        let reason = plugin["reason"].as_str().expect("a reason").to_owned();
        let (_, lines) = reason.split_once("to grant them: ").unwrap_or_else(|| panic!("no lines in: {reason}"));
        host.get("/api/v1/tables/disks").await.expect(200);
        host.post("/api/v1/tools/wants-much.much", &json!({})).await.error(404, "table_not_found");
        // As an operator would write it.
        let (table, values) = lines.split_once("] ").unwrap_or_else(|| panic!("no table in: {lines}"));
        let values: Vec<&str> = values.split(" and ").collect();
        assert_eq!(values.len(), 3, "{reason}");
        let config = format!("{config}{table}]\n{}\n", values.join("\n"));
        let host = Host::with_bundled().guest("wants-much").config(&config).start().await;
        assert_eq!(found(&host, "wants-much").await["state"], "active");
        let answer = host.post("/api/v1/tools/wants-much.much", &json!({})).await.expect(200);
        let data = &answer.json()["data"];
        assert_eq!(data["rows"], json!([{"one": 1}]), "{answer}");
        assert_eq!(data["secret_is_set"], true, "{answer}");
        assert_eq!(data["sent"], json!({"Ok": 200}), "{answer}");
        let stranger = data["stranger"]["Err"].as_str().unwrap_or_else(|| panic!("no refusal in: {answer}"));
        assert!(stranger.contains("Denied"), "{answer}");
        // The line that grants more keeps what is granted.
        assert!(stranger.replace('\\', "").contains(r#"http = ["receiver", "somewhere-else"]"#), "{answer}");
        assert_eq!(receiver.seen().len(), 1);
        // What it wants and what it got is there to be read.
        let plugin = found(&host, "wants-much").await;
        for interface in ["clickhouse", "http", "secrets"] {
            assert!(plugin["imports"].as_array().is_some_and(|all| all.contains(&json!(interface))), "{plugin}");
        }
        assert_eq!(plugin["grants"]["http"], json!(["receiver"]), "{plugin}");
    });
}

#[test]
fn an_operators_word_on_a_plugin_counts() {
    run(async {
        let bytes = std::fs::read(guest("misbehaves")).expect("a file");
        let digest = {
            use sha2::{Digest, Sha256};
            hex::encode(Sha256::digest(&bytes))
        };
        let grant = "grants.clickhouse = { hosts = \"all\" }";
        let other = "0".repeat(64);
        let with = |lines: String| {
            let builder =
                Host::with_bundled().guest("misbehaves").config(&format!("[plugins.misbehaves]\n{grant}\n{lines}"));
            async { builder.start().await }
        };
        let host = with(format!("sha256 = \"{digest}\"")).await;
        assert_eq!(found(&host, "misbehaves").await["state"], "active");
        let host = with(format!("sha256 = \"{other}\"")).await;
        refused(&host, "misbehaves", &[&digest, &other]).await;
        let host = with("enabled = false".to_owned()).await;
        assert_eq!(found(&host, "misbehaves").await["state"], "disabled");
        host.get("/api/v1/tables/misbehaves.works").await.expect(404);
        let host = with("settings.colour = \"red\"".to_owned()).await;
        refused(&host, "misbehaves", &["colour"]).await;
        // Panels read ClickHouse on the plugin's behalf, and need the same grant; a host beyond it stays shut.
        let only = "[plugins.misbehaves]\ngrants.clickhouse = { hosts = [1] }";
        let both = format!("{0},{0}", engine().await.url());
        let host = Host::with_bundled().watches(&both, engine().await.administrator()).guest("misbehaves").config(only);
        let host = host.start().await;
        host.get("/api/v1/tables/misbehaves.works").await.error(403, "permission_error");
        host.get("/api/v1/tables/misbehaves.works?hostId=1").await.expect(200);
        let twice = PluginFolder::bundled().with_guest("misbehaves").with_file("misbehaves-again.wasm", &bytes);
        let host = Host::with_bundled().plugins(twice).config(&format!("[plugins.misbehaves]\n{grant}")).start().await;
        refused(&host, "misbehaves.wasm", &["misbehaves", "remove one"]).await;
        assert_eq!(found(&host, "misbehaves-again.wasm").await["state"], "active");
    });
}
