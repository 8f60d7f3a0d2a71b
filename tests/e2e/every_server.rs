//! Every panel on every kind of server: rows, or words that say what is missing. Never an error.
//!
//! `docs/panels.md` is what came out; a claim compares, and `UPDATE_ARTEFACTS=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Host, READER, STRICT, TestEngine, bare_engine, engine, old_server, run};
use crate::panels::with_required;

const NOTES: &str = "\
# Panels and servers

Which panel shows something on which server. Written by the test `every_panel_answers_with_rows_or_words_on_every_server`,
which asks each of them:

* **26.7**: the embedded engine with its log tables, as an administrator;
* **readonly**: the same as a user whose profile has `readonly = 1`, who accepts no setting;
* **reader**: the same as a user with `GRANT SELECT ON system.*` and nothing else;
* **bare**: an engine of the same version without log tables;
* **18.16**: Debian's ClickHouse 18.16.1.

`yes`: it answers with the rows there are. Otherwise it answers `unavailable`, with a reason in words: `not granted` names the
`GRANT`, `not enabled` the configuration, `version` what the server is too old for. A number after `yes` counts the columns that the
server does not have and that are null there.
";

/// Kinds of panels, and where each lives.
const KINDS: [(&str, &str); 3] =
    [("Tables", "/api/v1/tables/"), ("Charts", "/api/v1/charts/"), ("Counters", "/api/v1/menu-counts/")];

const OLD: &str = "18.16.1";

/// What the embedded engine does not have. One hash stands for all of the condition cache's since 26, and only a server of its own
/// measures the machine.
const GONE: [(&str, &[&str]); 4] = [
    ("/query-condition-cache", &["table_uuid", "part_name", "condition_hash", "condition"]),
    ("/summary-used-by-merges", &["total_memory"]),
    ("/summary-used-by-running-queries", &["total_memory"]),
    ("/cluster-live-metrics", &["memory_total"]),
];

struct Servers {
    host: Host,
    names: Vec<&'static str>,
    /// Stops with the claim.
    _bare: TestEngine,
}

impl Servers {
    async fn start() -> Self {
        let (engine, bare, old) = (engine().await, bare_engine().await, old_server().await);
        let (admin, password) = engine.administrator();
        let (bare_admin, bare_password) = bare.administrator();
        let servers = [
            ("26.7", engine.url(), (admin, password)),
            ("readonly", engine.url(), STRICT),
            ("reader", engine.url(), READER),
            ("bare", bare.url(), (bare_admin, bare_password)),
            ("18.16", old.url(), old.user()),
        ];
        let mut config = String::new();
        for (name, url, (user, password)) in &servers {
            let _ = write!(
                config,
                "[[clickhouse.hosts]]\nname = \"{name}\"\nurl = \"{url}\"\nuser = \"{user}\"\npassword = \"{password}\"\n"
            );
        }
        let host = Host::with_bundled().watches_nothing().unhurried().config(&config).start().await;
        let names = servers.iter().map(|(name, ..)| *name).collect();
        Self { host, names, _bare: bare }
    }

    /// How the server's version begins.
    fn version(&self, server: usize) -> &'static str {
        if self.names[server] == "18.16" { OLD } else { "26." }
    }

    /// What a cell says, or what is wrong.
    async fn cell(&self, path: &str, server: usize) -> Result<String, String> {
        let and = if path.contains('?') { '&' } else { '?' };
        let answer = self.host.get(&format!("{path}{and}hostId={server}")).await;
        if answer.status != 200 {
            return Err(answer.to_string());
        }
        let body = answer.json();
        let metadata = &body["metadata"];
        let unavailable = &metadata["unavailable"];
        if !unavailable.is_null() {
            if body["data"]["count"].is_u64() || body["data"].as_array().is_some_and(|rows| !rows.is_empty()) {
                return Err(format!("unavailable, and yet: {}", body["data"]));
            }
            let message = unavailable["message"].as_str().unwrap_or_default();
            let remedy = unavailable["remedy"].as_str().unwrap_or_default();
            return match unavailable["reason"].as_str() {
                Some("not_granted") if remedy.starts_with("GRANT ") && message.contains(remedy) => {
                    Ok("not granted".to_owned())
                }
                Some("not_enabled") if !remedy.is_empty() => Ok("not enabled".to_owned()),
                Some("not_in_this_version") if message.contains(self.version(server)) => Ok("version".to_owned()),
                _ => Err(format!("unavailable without reason or words: {unavailable}")),
            };
        }
        let absent: Vec<&str> =
            metadata["absentColumns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        // A name that no server has is a mistake of the panel's.
        let known = |column: &&str| GONE.iter().any(|(panel, gone)| path.ends_with(panel) && gone.contains(column));
        if !["bare", "18.16"].contains(&self.names[server]) && !absent.iter().all(known) {
            return Err(format!("the newest server lacks {absent:?}"));
        }
        let absent = absent.len();
        match &body["data"] {
            Value::Array(_) if absent > 0 => Ok(format!("yes, -{absent}")),
            Value::Array(_) => Ok("yes".to_owned()),
            Value::Object(count) if count["count"].is_u64() => Ok("yes".to_owned()),
            other => Err(format!("{other} is neither rows nor a count")),
        }
    }
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    format!("| `{name}` | {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

#[test]
fn every_panel_answers_with_rows_or_words_on_every_server() {
    run(async {
        let servers = Servers::start().await;
        let document = servers.host.get("/openapi.json").await.expect(200).json();
        let paths: Vec<(String, Value)> = document["paths"]
            .as_object()
            .expect("paths")
            .iter()
            .filter_map(|(path, methods)| Some((path.clone(), methods.get("get")?.clone())))
            .collect();
        let mut text = NOTES.to_owned();
        let mut wrong = Vec::new();
        for (title, prefix) in KINDS {
            let mut rows: BTreeMap<String, String> = BTreeMap::new();
            for (path, operation) in &paths {
                let Some(name) = path.strip_prefix(prefix).filter(|name| !name.contains(['/', '{'])) else { continue };
                if operation["x-chm-plugin"].as_str().is_none_or(|id| !id.starts_with("panels-")) {
                    continue;
                }
                let path = with_required(path, operation);
                let mut cells = Vec::new();
                for server in 0..servers.names.len() {
                    let cell = servers.cell(&path, server).await.unwrap_or_else(|problem| {
                        wrong.push(format!("{path} on {}: {problem}", servers.names[server]));
                        "ERROR".to_owned()
                    });
                    cells.push(cell);
                }
                rows.insert(name.to_owned(), row(name, cells.into_iter()));
            }
            if rows.is_empty() {
                continue;
            }
            let _ = write!(text, "\n## {title}\n\n| | {} |\n", servers.names.join(" | "));
            let _ = writeln!(text, "|---|{}", "---|".repeat(servers.names.len()));
            rows.values().for_each(|row| text.push_str(row));
        }
        println!("{text}");
        assert!(wrong.is_empty(), "{} cells are errors:\n{}", wrong.len(), wrong.join("\n"));
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/panels.md");
        if std::env::var_os("UPDATE_ARTEFACTS").is_some_and(|value| !value.is_empty()) {
            std::fs::write(&file, &text).expect("docs/panels.md");
        }
        let checked_in = std::fs::read_to_string(&file).expect("docs/panels.md");
        assert!(
            checked_in == text,
            "docs/panels.md is not what the servers say; write it with \
             UPDATE_ARTEFACTS=1 cargo test -p chm-host --test e2e -- every_panel_answers"
        );
    });
}
