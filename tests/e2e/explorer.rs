//! The explorer: what is in a server, rows of its tables, plans, and rows by name.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::harness::{Host, engine, eventually, run, shared};

/// Tables of every kind that the explorer tells apart, in a database of this file's own.
const STATEMENTS: &[&str] = &[
    "CREATE DATABASE shop",
    "CREATE TABLE shop.orders (id UInt64, day Date, note String, customer UInt32, \
     INDEX by_note note TYPE bloom_filter GRANULARITY 4, PROJECTION by_day (SELECT day, count() GROUP BY day)) \
     ENGINE = MergeTree PARTITION BY toYYYYMM(day) PRIMARY KEY id ORDER BY (id, day) SAMPLE BY id",
    "INSERT INTO shop.orders SELECT number, today(), repeat('ä', 10001 + number), number FROM numbers(20)",
    "CREATE TABLE shop.customers (id UInt64, name String) ENGINE = MergeTree ORDER BY id",
    "CREATE DICTIONARY shop.names (id UInt64, name String) PRIMARY KEY id \
     SOURCE(CLICKHOUSE(DB 'shop' TABLE 'customers' PASSWORD 'explorer-secret')) LIFETIME(0) LAYOUT(FLAT())",
    "CREATE DICTIONARY shop.remote_names (id UInt64, name String) PRIMARY KEY id \
     SOURCE(HTTP(URL 'http://u:explorer-secret@127.0.0.1:1/x' FORMAT 'CSV')) LIFETIME(0) LAYOUT(FLAT())",
    "CREATE TABLE shop.joined (id UInt64, v String) ENGINE = Join(ANY, LEFT, id)",
    "CREATE TABLE shop.daily (day Date, n UInt64) ENGINE = SummingMergeTree ORDER BY day",
    "CREATE MATERIALIZED VIEW shop.to_daily TO shop.daily AS SELECT day, count() AS n FROM shop.orders GROUP BY day",
    "CREATE VIEW shop.looks AS SELECT dictGet('shop.names', 'name', id) AS c, joinGet('shop.joined', 'v', id) AS j FROM shop.orders",
    "CREATE TABLE shop.far (x String) ENGINE = MySQL('127.0.0.1:1', 'd', 't', 'u', 'explorer-secret')",
];

async fn shop() -> &'static Host {
    static FILLED: OnceCell<()> = OnceCell::const_new();
    FILLED
        .get_or_init(|| async {
            for sql in STATEMENTS {
                engine().await.ask(sql).await;
            }
        })
        .await;
    shared().await
}

async fn rows(host: &Host, path: &str) -> Vec<Value> {
    host.get(&format!("/api/v1/explorer/{path}")).await.expect(200).rows()
}

fn texts(rows: &[Value], column: &str) -> Vec<String> {
    rows.iter().map(|row| row[column].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn databases_tables_and_columns_are_browsed() {
    run(async {
        let host = shop().await;
        let databases = rows(host, "databases?hostId=0").await;
        let shop = databases.iter().find(|row| row["name"] == "shop").expect("the database");
        assert!(shop["tables"].as_u64() >= Some(8) && shop["rows"].as_u64() > Some(0), "{shop}");
        let tables = rows(host, "tables?hostId=0&database=shop&sort=-name").await;
        assert!(texts(&tables, "name").is_sorted_by(|a, b| a >= b), "{tables:?}");
        let orders = tables.iter().find(|row| row["name"] == "orders").expect("the table");
        assert_eq!((&orders["engine"], &orders["total_rows"]), (&json!("MergeTree"), &json!(20)), "{orders}");
        let columns = rows(host, "columns?hostId=0&database=shop&table=orders").await;
        assert_eq!(texts(&columns, "name"), ["id", "day", "note", "customer"]);
        let ddl = rows(host, "ddl?hostId=0&database=shop&table=orders").await;
        assert!(texts(&ddl, "create_table_query")[0].starts_with("CREATE TABLE shop.orders"), "{ddl:?}");
        let keys = rows(host, "indexes?hostId=0&database=shop&table=orders").await;
        assert_eq!(texts(&keys, "expression"), ["id", "id, day", "toYYYYMM(day)", "id"]);
        let skips = rows(host, "skip-indexes?hostId=0&database=shop&table=orders").await;
        assert_eq!((texts(&skips, "name"), texts(&skips, "expr")), (vec!["by_note".into()], vec!["note".into()]));
        let projections = rows(host, "projections?hostId=0&database=shop&table=orders").await;
        assert_eq!((&projections[0]["name"], &projections[0]["parts"]), (&json!("by_day"), &json!(1)));
        let overview =
            host.get("/api/v1/tables/explorer-table-overview?database=shop&table=orders").await.expect(200).rows();
        assert_eq!((&overview[0]["rows"], &overview[0]["parts"]), (&json!(20), &json!(1)), "{overview:?}");
    });
}

#[test]
fn every_kind_of_dependency_is_told() {
    run(async {
        let host = shop().await;
        let all = rows(host, "dependencies?hostId=0&database=shop&direction=database").await;
        let has = |from: &str, to: &str, kind: &str| {
            all.iter().any(|row| row["from_table"] == from && row["to_table"] == to && row["kind"] == kind)
        };
        for (from, to, kind) in [
            ("orders", "to_daily", "dependency"),
            ("orders", "looks", "dependency"),
            ("to_daily", "daily", "view target"),
            ("customers", "names", "dictionary source"),
            ("names", "looks", "dictionary lookup"),
            ("joined", "looks", "join lookup"),
            ("HTTP", "remote_names", "external"),
            ("MySQL", "far", "external"),
        ] {
            assert!(has(from, to, kind), "{from} → {to}: {kind}: {all:?}");
        }
        let sides = |rows: Vec<Value>| -> Vec<(String, String)> {
            texts(&rows, "from_table").into_iter().zip(texts(&rows, "to_table")).collect()
        };
        let down = rows(host, "dependencies?hostId=0&database=shop&table=orders").await;
        assert!(!down.is_empty() && sides(down).iter().all(|(from, _)| from == "orders"));
        let up = rows(host, "dependencies?hostId=0&database=shop&table=looks&direction=upstream").await;
        assert_eq!(up.len(), 3, "{up:?}");
        assert!(sides(up).iter().all(|(_, to)| to == "looks"));
        let both = rows(host, "dependencies?hostId=0&database=shop&table=names&direction=table").await;
        assert_eq!(both.len(), 2, "{both:?}");
        let source = rows(host, "dependencies?hostId=0&database=shop&table=names&direction=dictionary").await;
        assert_eq!(texts(&source, "name"), ["names"]);
        assert!(rows(host, "dependencies?hostId=0&direction=all").await.len() >= all.len());
    });
}

#[test]
fn a_preview_shows_rows_and_cuts_long_texts() {
    run(async {
        let host = shop().await;
        let preview = "preview?hostId=0&database=shop&table=orders";
        let answer = host.get(&format!("/api/v1/explorer/{preview}&limit=5")).await.expect(200).json();
        assert_eq!(
            (answer["data"].as_array().map(Vec::len), &answer["metadata"]["truncated"]),
            (Some(5), &json!(true))
        );
        for row in answer["data"].as_array().expect("rows") {
            let length = 10_001 + row["id"].as_u64().expect("a number");
            let note = format!("{}… [truncated, {length} chars total]", "ä".repeat(10_000));
            assert_eq!(row["note"], note.as_str(), "{}", row["id"]);
        }
        let rest = rows(host, &format!("{preview}&offset=18")).await;
        assert_eq!(rest.len(), 2);
        let bare = host.get(&format!("/api/v1/explorer/{preview}&limit=1&format=ndjson")).await.expect(200).text();
        assert!(bare.chars().filter(|c| *c == 'ä').count() > 10_000, "only the envelope is cut");
        for (query, field) in [
            ("database=shop&table=orders&limit=0", "limit"),
            ("database=shop&table=orders&limit=10001", "limit"),
            ("database=shop&table=orders&offset=10001", "offset"),
            ("database=shop&table=a`b", "table"),
            ("database=shop&table=file", "table"),
            ("table=orders", "database"),
        ] {
            let answer = host.get(&format!("/api/v1/explorer/preview?hostId=0&{query}")).await;
            assert!(answer.error(400, "validation_error").contains(field), "{query}: {answer}");
        }
    });
}

#[test]
fn the_explorer_asks_which_server() {
    run(async {
        let host = shop().await;
        for path in [
            "explorer/databases",
            "explorer/tables",
            "explorer/columns?table=t",
            "explorer/ddl?table=t",
            "explorer/indexes?table=t",
            "explorer/skip-indexes?table=t",
            "explorer/projections?database=d&table=t",
            "explorer/dependencies?table=t",
            "explorer/preview?database=d&table=t",
            "explorer/query-log?queryId=x",
            "explorer/query?sql=SELECT%201",
            "explain?query=SELECT%201",
            "data?sql=SELECT%201",
        ] {
            let sign = if path.contains('?') { '&' } else { '?' };
            let missing = host.get(&format!("/api/v1/{path}")).await.error(400, "validation_error");
            assert!(missing.contains("hostId"), "{path}: {missing}");
            for wrong in ["1abc", "-1", "%2B0", "7"] {
                let answer = host.get(&format!("/api/v1/{path}{sign}hostId={wrong}")).await;
                assert!(answer.error(400, "validation_error").contains("hostId"), "{answer}");
            }
        }
        let message = host.get("/api/v1/explorer/dependencies?hostId=0").await.error(400, "validation_error");
        assert!(message.contains("`table`"), "{message}");
    });
}

#[test]
fn a_short_statement_runs_from_a_link() {
    run(async {
        let host = shop().await;
        let answer = host
            .get("/api/v1/explorer/query?hostId=0&database=shop&sql=SELECT%20count()%20AS%20c%20FROM%20orders")
            .await;
        assert_eq!(answer.expect(200).rows()[0]["c"], 20);
        let csv = host.get("/api/v1/explorer/query?hostId=0&format=CSV&sql=SELECT%201%20AS%20one").await.expect(200);
        assert_eq!(csv.text(), "\"one\"\n1\n");
        let long = host.get(&format!("/api/v1/explorer/query?hostId=0&sql=SELECT%20{}", "1".repeat(8_000))).await;
        assert!(long.error(400, "validation_error").contains("sql"), "{long}");
        let refused = host.get("/api/v1/explorer/query?hostId=0&sql=DROP%20TABLE%20shop.orders").await;
        refused.error(400, "validation_error");
    });
}

#[test]
fn plans_are_told_in_every_mode_and_nothing_is_run() {
    run(async {
        let host = shop().await;
        let explain = |body: Value| async move { host.post("/api/v1/explain", &body).await };
        for (mode, word) in [
            ("", "ReadFromMergeTree"),
            ("plan", "ReadFromMergeTree"),
            ("PIPELINE", "Transform"),
            ("AST", "SelectWithUnionQuery"),
            ("SYNTAX", "SELECT"),
        ] {
            let body =
                json!({"hostId": 0, "query": "SELECT id FROM shop.orders WHERE id = 1 FORMAT JSON;", "mode": mode});
            let answer = explain(body).await.expect(200);
            let text = texts(&answer.rows(), "explain").join("\n");
            assert!(text.contains(word), "{mode}: {answer}");
            assert!(
                answer.json()["metadata"]["sql"].as_str().is_some_and(|sql| sql.starts_with("EXPLAIN ")),
                "{answer}"
            );
        }
        let estimate = json!({"hostId": 0, "query": "SELECT id FROM shop.orders", "mode": "ESTIMATE"});
        assert_eq!(explain(estimate).await.expect(200).rows()[0]["table"], "orders");
        let indexes = "/api/v1/explain?hostId=0&query=SELECT%20id%20FROM%20shop.orders%20WHERE%20id%3D1&planSettings=indexes%3D1,header%3D0";
        let text = texts(&host.get(indexes).await.expect(200).rows(), "explain").join("\n");
        assert!(text.contains("PrimaryKey"), "{text}");
        for (body, word) in [
            (json!({"hostId": 0, "query": "INSERT INTO shop.daily SELECT today(), 1"}), "INSERT"),
            (json!({"hostId": 0, "query": "SHOW TABLES"}), "SELECT"),
            (json!({"hostId": 0, "query": "SELECT * FROM file('x')"}), "file"),
            (json!({"hostId": 0, "query": "SELECT 1", "mode": "QUERY TREE"}), "mode"),
            (json!({"hostId": 0, "query": "SELECT 1", "planSettings": "readonly=0"}), "planSettings"),
            (json!({"hostId": 0, "query": "SELECT 1 SETTINGS readonly = 0"}), "SETTINGS"),
            (json!({"query": "SELECT 1"}), "hostId"),
        ] {
            let answer = explain(body).await;
            assert!(answer.error(400, "validation_error").contains(word), "{word}: {answer}");
        }
    });
}

#[test]
fn data_runs_panels_and_refuses_other_statements() {
    run(async {
        let host = shop().await;
        let post = |body: Value| async move { host.post("/api/v1/data", &body).await };
        let panel =
            json!({"hostId": 0, "queryConfigName": "explorer-tables", "queryParams": {"database": "shop", "limit": 3}});
        assert_eq!(post(panel).await.expect(200).rows().len(), 3);
        let message = post(json!({"hostId": 0, "query": "SELECT 1"})).await.error(403, "permission_error");
        assert!(message.contains("queryConfigName"), "{message}");
        host.get("/api/v1/data?hostId=0&sql=SELECT%201").await.error(403, "permission_error");
        for (body, field) in [
            (json!({"hostId": 0, "query": "DROP TABLE shop.orders"}), "DROP"),
            (json!({"hostId": 0}), "query"),
            (json!({"hostId": 0, "queryConfigName": "no-such"}), "queryConfigName"),
            (json!({"hostId": 0, "query": "SELECT 1", "queryConfig": {"sql": "SELECT 1"}}), "queryConfig"),
            (json!({"hostId": 0, "queryConfigName": "explorer-tables", "queryParams": {"colour": "red"}}), "colour"),
            (json!({"hostId": 0, "queryConfigName": "explorer-tables", "queryParams": {"hostId": "1"}}), "hostId"),
        ] {
            let answer = post(body).await;
            assert!(answer.error(400, "validation_error").contains(field), "{field}: {answer}");
        }
    });
}

#[test]
fn a_query_is_found_in_the_log_when_it_is_there() {
    run(async {
        let host = shop().await;
        let none = host.get("/api/v1/explorer/query-log?hostId=0&queryId=none-such").await.expect(200).json();
        assert_eq!((&none["data"], &none["metadata"]["found"]), (&Value::Null, &json!(false)));
        let ran = host.query("SELECT 'looked up'").await.expect(200).json();
        let id = ran["metadata"]["queryId"].as_str().expect("an id").to_owned();
        engine().await.ask("SYSTEM FLUSH LOGS").await;
        let path = format!("/api/v1/explorer/query-log?hostId=0&queryId={id}");
        eventually("the row", Duration::from_secs(10), async || {
            let found = host.get(&path).await.expect(200).json();
            found["metadata"]["found"] == true && found["data"]["query"] == "SELECT 'looked up'"
        })
        .await;
    });
}

#[test]
fn rows_and_statements_need_the_right_to_write() {
    run(async {
        let reader = Host::with_bundled().unhurried().config("[features.tables]\nwrite = \"role:sre\"").start().await;
        reader.get("/api/v1/explorer/databases?hostId=0").await.expect(200);
        for path in [
            "explorer/preview?hostId=0&database=e2e&table=kept",
            "explorer/query?hostId=0&sql=SELECT%201",
            "explain?hostId=0&query=SELECT%201",
        ] {
            let status = reader.get(&format!("/api/v1/{path}")).await.status;
            assert!(matches!(status, 401 | 403), "{path}: {status}");
        }
    });
}
