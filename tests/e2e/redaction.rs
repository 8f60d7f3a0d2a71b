//! Credentials in SQL text reach nobody, by no way.

use std::time::Duration;

use serde_json::json;
use tokio::sync::OnceCell;

use crate::harness::{Answer, Host, engine, eventually, run, shared};

/// What no answer may say. The engine's own masking does not find these.
const SECRET: &str = "hunter2-of-the-redaction";

/// Statements with the secret, as people send them: wrong ones too, which a server logs as they are.
fn statements() -> Vec<String> {
    let templates = [
        "SELECT * FROM s3('http://127.0.0.1:1/b/x.csv', 'AKIAFAKEFAKEFAKEFAKE', '$', 'CSV')",
        "CREATE USER wrong IDENTIFIED BY $",
        "CREATE USER wrong IDENTIFIED WITH nosuch BY '$'",
        "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', '$' WHERE",
        "SELECT encrypt('no-such-mode', 'text', '$')",
        "SELECT 1 -- password: $",
        "SELECT 'https://u:$@h/x'",
        "CREATE DICTIONARY e2e.leaks (id UInt64) PRIMARY KEY id SOURCE(HTTP(URL 'http://u:$@127.0.0.1:1/x' FORMAT 'CSV')) LIFETIME(0) LAYOUT(FLAT())",
    ];
    templates.iter().map(|template| template.replace('$', SECRET)).collect()
}

/// A host whose server has logged the secret, over and over.
async fn leaking() -> &'static Host {
    static LOGGED: OnceCell<()> = OnceCell::const_new();
    LOGGED
        .get_or_init(|| async {
            let engine = engine().await;
            for sql in statements() {
                let _ = engine.ask_with(&sql, &[("log_queries", "1")]).await;
            }
            eventually("the secret in the log", Duration::from_secs(10), async || {
                engine.ask("SYSTEM FLUSH LOGS").await;
                // In two parts, for this statement is logged too.
                let (head, tail) = SECRET.split_at(9);
                let count =
                    format!("SELECT count() > 5 FROM system.query_log WHERE query LIKE concat('%{head}', '{tail}%')");
                engine.ask(&count).await == "1"
            })
            .await;
        })
        .await;
    shared().await
}

#[track_caller]
fn says_nothing(answer: &Answer) {
    let found = answer.body.windows(SECRET.len()).position(|bytes| bytes == SECRET.as_bytes());
    if let Some(at) = found {
        let around = &answer.body[at.saturating_sub(200)..(at + 60).min(answer.body.len())];
        panic!("{}: {}", answer.what, String::from_utf8_lossy(around));
    }
}

#[test]
fn no_panel_shows_a_secret_in_any_format() {
    run(async {
        let host = leaking().await;
        let mut hidden = 0;
        for panel in [
            "history-queries",
            "failed-queries",
            "running-queries",
            "slow-queries",
            "expensive-queries",
            "recent-queries",
            "common-errors",
            "mutations",
            "explorer-ddl?database=e2e&table=leaks",
            "explorer-databases",
            "explorer-dictionary-source?database=e2e&table=leaks",
        ] {
            let sign = if panel.contains('?') { '&' } else { '?' };
            for format in ["json", "ndjson", "csv", "tsv", "parquet", "arrow"] {
                let answer = host.get(&format!("/api/v1/tables/{panel}{sign}format={format}&limit=1000")).await;
                says_nothing(&answer);
                hidden += answer.body.windows(8).filter(|bytes| bytes == b"[HIDDEN]").count();
            }
        }
        assert!(hidden > 20, "only {hidden} things were hidden");
    });
}

#[test]
fn the_console_shows_no_secret_of_the_servers_tables() {
    run(async {
        let host = leaking().await;
        for sql in [
            "SELECT * FROM system.query_log",
            "SELECT query, exception FROM system.query_log ORDER BY event_time DESC",
            "SELECT exception FROM system.query_log",
            "SELECT groupArray(query) AS q, groupArray((query, 1)) AS t FROM system.query_log",
            "SELECT map('text', query) AS m FROM system.query_log",
            "SELECT * FROM merge('system', '^query_log')",
            "SELECT * FROM system.errors",
            "SELECT create_table_query FROM system.tables WHERE database = 'e2e'",
            "SELECT * FROM system.dictionaries",
            "SELECT * FROM system.processes",
            "SHOW CREATE TABLE e2e.leaks",
            "SELECT view_definition FROM information_schema.views",
        ] {
            for format in ["json", "ndjson", "csv", "tsv", "parquet", "arrow"] {
                let answer = host.post("/api/v1/explorer/query", &json!({"sql": sql, "format": format})).await;
                says_nothing(&answer);
                if matches!(format, "parquet" | "arrow") {
                    assert!(answer.error(400, "validation_error").contains("ndjson"), "{sql}: {answer}");
                } else {
                    assert_eq!(answer.status, 200, "{answer}");
                }
            }
        }
        let beside = json!({"sql": "SELECT query FROM query_log", "database": "system"});
        says_nothing(&host.post("/api/v1/explorer/query", &beside).await.expect(200));
        let preview = host.get("/api/v1/explorer/preview?hostId=0&database=system&table=query_log&limit=10000").await;
        says_nothing(&preview.expect(200));
    });
}

#[test]
fn a_view_of_the_log_is_known_by_its_columns() {
    run(async {
        let host = leaking().await;
        engine().await.ask("CREATE VIEW IF NOT EXISTS e2e.kept_log AS SELECT query FROM system.query_log").await;
        for format in ["json", "ndjson", "csv", "tsv"] {
            let body = json!({"sql": "SELECT * FROM e2e.kept_log", "format": format});
            says_nothing(&host.post("/api/v1/explorer/query", &body).await.expect(200));
        }
    });
}

/// What a view keeps to itself is not in its plans either, whose lines name and quote on lines of their own.
#[test]
fn plans_show_no_secret_of_the_views_they_go_through() {
    run(async {
        let host = leaking().await;
        let engine = engine().await;
        engine.ask("CREATE TABLE IF NOT EXISTS e2e.sealed (x String) ENGINE = MergeTree ORDER BY x").await;
        let view = format!("decrypt('aes-192-ecb', x, '{SECRET}') AS y, 'https://u:{SECRET}@h/' AS z FROM e2e.sealed");
        engine.ask(&format!("CREATE VIEW IF NOT EXISTS e2e.unsealed AS SELECT {view}")).await;
        for (mode, settings) in [
            ("", ""),
            ("", "actions=1"),
            ("", "actions=1,json=1,header=1"),
            ("", "indexes=1,projections=1,sorting=1"),
            ("PIPELINE", ""),
            ("AST", ""),
            ("SYNTAX", ""),
            ("ESTIMATE", ""),
        ] {
            let body =
                json!({"hostId": 0, "query": "SELECT * FROM e2e.unsealed", "mode": mode, "planSettings": settings});
            says_nothing(&host.post("/api/v1/explain", &body).await.expect(200));
        }
        for kind in ["QUERY TREE", "QUERY TREE dump_ast = 1", "AST optimize = 1", "SYNTAX run_query_tree_passes = 1"] {
            let answer = host.query(&format!("EXPLAIN {kind} SELECT * FROM e2e.unsealed")).await;
            says_nothing(&answer);
            assert!([200, 400].contains(&answer.status), "{answer}");
        }
        for format in ["ndjson", "csv", "tsv"] {
            let sql = "EXPLAIN PLAN actions = 1 SELECT * FROM e2e.unsealed";
            let answer = host.post("/api/v1/explorer/query", &json!({"sql": sql, "format": format})).await;
            says_nothing(&answer.expect(200));
        }
    });
}

#[test]
fn tools_and_errors_say_no_secret() {
    run(async {
        let host = leaking().await;
        for (tool, arguments) in [
            ("query", json!({"sql": "SELECT query, exception FROM system.query_log ORDER BY event_time DESC"})),
            ("get_slow_queries", json!({"limit": 50, "lastHours": 1})),
            ("get_running_queries", json!({})),
        ] {
            let answer = host.post(&format!("/api/v1/tools/{tool}"), &arguments).await.expect(200);
            says_nothing(&answer);
        }
        for sql in [
            format!("SELECT encrypt('no-such-mode', 'text', '{SECRET}')"),
            format!("SELECT encrypt('aes-128-ecb', 'text', '{SECRET}') FROM no_such_table"),
            format!("SELECT encrypt('aes-128-ecb', 'x' '{SECRET}')"),
            format!("SELECT toUInt8('https://u:{SECRET}@h/')"),
        ] {
            let answer = host.query(&sql).await;
            assert_ne!(answer.status, 200, "{answer}");
            says_nothing(&answer);
        }
        assert!(!host.stderr().contains(SECRET), "the host's own log has it");
    });
}

#[test]
fn rows_that_name_nothing_sensitive_are_as_they_are() {
    run(async {
        let host = shared().await;
        let sql = "SELECT 'it''s s3(''u'', ''k'')' AS word, 'password=x' AS other, number FROM numbers(3)";
        let rows = host.query(sql).await.expect(200).rows();
        assert_eq!(rows[2], json!({"word": "it's s3('u', 'k')", "other": "password=x", "number": 2}));
        let row = host.query("SELECT 'SELECT count() FROM t WHERE a = ''b''' AS query").await.expect(200).rows();
        assert_eq!(row[0]["query"], "SELECT count() FROM t WHERE a = 'b'");
    });
}
