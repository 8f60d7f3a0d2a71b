//! The toolset role: each bundled tool against the real server.

use serde_json::{Value, json};

use crate::harness::{Host, run, shared};

async fn schema_of(host: &Host, tool: &str) -> (Value, Value) {
    let tools = host.get("/api/v1/tools").await.expect(200).rows();
    let found = tools.iter().find(|entry| entry["name"] == tool).unwrap_or_else(|| panic!("no tool {tool}"));
    (found["inputSchema"].clone(), found["outputSchema"].clone())
}

#[test]
fn every_tool_answers_as_its_schema_says() {
    run(async {
        let host = shared().await;
        let cases = [
            ("list_databases", json!({}), "databases", "e2e"),
            ("list_tables", json!({"database": "e2e"}), "tables", "kept"),
            ("get_table_schema", json!({"database": "e2e", "table": "kept"}), "columns", "word"),
            ("query", json!({"sql": "SELECT 'kept' AS name, count() AS c FROM e2e.kept"}), "rows", "kept"),
            ("get_running_queries", json!({}), "queries", ""),
            ("get_slow_queries", json!({"limit": 5, "lastHours": 1}), "queries", ""),
        ];
        for (tool, arguments, list, name) in cases {
            let (input, output) = schema_of(host, tool).await;
            assert!(jsonschema::is_valid(&input, &arguments), "{tool}: {input}");
            let answer = host.post(&format!("/api/v1/tools/{tool}"), &arguments).await.expect(200);
            let data = answer.json()["data"].clone();
            if let Err(error) = jsonschema::validate(&output, &data) {
                panic!("{tool}: {error} at {}: {data}", error.instance_path());
            }
            let rows = data[list].as_array().unwrap_or_else(|| panic!("{answer}"));
            assert!(name.is_empty() || rows.iter().any(|row| row["name"] == name), "{tool}: no {name}: {data}");
        }
    });
}

#[test]
fn a_tool_refuses_what_does_not_fit_its_schema_and_names_it() {
    run(async {
        let host = shared().await;
        let cases = [
            ("list_tables", json!({}), "database"),
            ("list_tables", json!({"database": 1}), "database"),
            ("list_tables", json!({"database": "e2e", "colour": "red"}), "colour"),
            ("get_slow_queries", json!({"limit": 0}), "limit"),
            ("query", json!({"sql": ""}), "sql"),
            ("query", json!("SELECT 1"), "arguments"),
            ("query", json!(["SELECT 1"]), "arguments"),
        ];
        for (tool, arguments, word) in cases {
            let message = host.post(&format!("/api/v1/tools/{tool}"), &arguments).await.error(400, "validation_error");
            assert!(message.contains(word), "{tool} {arguments}: {message}");
        }
        let message =
            host.post("/api/v1/tools/list_tables", &json!({"database": "absent"})).await.error(404, "table_not_found");
        assert!(message.contains("absent") && message.contains("list_databases"), "{message}");
        let message = host
            .post("/api/v1/tools/query", &json!({"sql": "SELECT no_such_column"}))
            .await
            .error(400, "validation_error");
        assert!(message.contains("no_such_column"), "{message}");
    });
}
