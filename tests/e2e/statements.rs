//! What a stranger's SQL can do through the console and the `query` tool: read, and nothing else.

use serde_json::json;

use crate::harness::{Answer, CANARY_TEXT, Host, Receiver, engine, run, shared};

const HOSTILE: &str = include_str!("../../host/clickhouse/tests/data/hostile.txt");
const BENIGN: &str = include_str!("../../host/clickhouse/tests/data/benign.txt");

/// One per line; `⏎` stands for a line feed.
fn statements(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("##"));
    lines.map(|line| line.replace('⏎', "\n")).collect()
}

/// Through both ways in.
async fn both(host: &Host, sql: &str) -> [Answer; 2] {
    [host.query(sql).await, host.post("/api/v1/tools/query", &json!({"sql": sql})).await]
}

/// Everything that a statement could have changed.
async fn snapshot() -> String {
    engine()
        .await
        .ask(
            "SELECT (SELECT groupArray((database, name, engine, uuid, total_rows)) FROM (SELECT * FROM system.tables \
             WHERE database != 'system' ORDER BY database, name)), \
             (SELECT groupArray(name) FROM system.databases), \
             (SELECT groupArray(name) FROM system.functions WHERE origin != 'System'), \
             (SELECT groupArray(name) FROM system.users), \
             (SELECT groupArray((user_name, role_name, access_type, database, table)) FROM system.grants), \
             (SELECT sum(cityHash64(*)) FROM e2e.kept), \
             (SELECT count() FROM system.mutations) FORMAT TSV",
        )
        .await
}

#[test]
fn hostile_statements_change_and_leak_nothing() {
    run(async {
        let (host, engine) = (shared().await, engine().await);
        let canary = Receiver::open().await;
        let address = canary.url().strip_prefix("http://").expect("http");
        let file = engine.user_files().join("canary.txt");
        // The guard alone stands between these statements and what they ask for: the engine could do it.
        let reachable = format!("SELECT * FROM url('http://{address}/', 'LineAsString')");
        engine.ask(&reachable).await;
        let readable = format!("SELECT file('{}')", file.display());
        assert_eq!(engine.ask(&readable).await, CANARY_TEXT);
        let contacts = canary.seen().len();
        assert!(contacts > 0);

        let set = statements(HOSTILE);
        assert!(set.len() >= 60, "{} statements", set.len());
        let before = snapshot().await;
        let mut wrong = Vec::new();
        for sql in &set {
            let sql = sql.replace("127.0.0.1:1", address).replace("/etc/passwd", &file.display().to_string());
            for answer in both(host, &sql).await {
                let body = answer.text();
                let refused = answer.status == 400 && body.contains("\"validation_error\"");
                let message = if refused { answer.error(400, "validation_error") } else { String::new() };
                let word = message.trim_start_matches("ClickHouse refused: ");
                let placed = word.split(':').take(2).all(|part| part.trim().parse::<u32>().is_ok())
                    || ["the statement is empty", "argument"].iter().any(|start| word.starts_with(start));
                if !refused || !placed {
                    wrong.push(format!("{sql:?}: {answer}"));
                }
                if [CANARY_TEXT, "root:"].iter().any(|leak| body.contains(leak)) {
                    wrong.push(format!("{sql:?} leaks: {answer}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), set.len(), wrong.join("\n"));
        assert_eq!(snapshot().await, before);
        assert_eq!(canary.seen().len(), contacts, "{:?}", canary.seen());
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), CANARY_TEXT);
    });
}

#[test]
fn benign_statements_all_pass() {
    run(async {
        let host = shared().await;
        let set = statements(BENIGN);
        assert!(set.len() >= 60, "{} statements", set.len());
        let mut wrong = Vec::new();
        for sql in &set {
            for answer in both(host, sql).await {
                if answer.status != 200 || answer.json()["success"] != true {
                    wrong.push(format!("{sql:?}: {answer}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), set.len(), wrong.join("\n"));
    });
}
