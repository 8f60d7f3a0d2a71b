//! Laws of the design that no other group of claims names.

use serde_json::{Value, json};

use crate::harness::{Answer, Host, HostBuilder, PATIENCE, engine, eventually, run, small_engine};

fn with_kills_queries() -> HostBuilder {
    Host::with_bundled().guest("kills-queries").config("[plugins.kills-queries.grants]\ncontrol = [\"kill-query\"]")
}

#[test]
fn law_2_one_principal_is_what_the_api_the_plugin_and_the_servers_own_log_see() {
    run(async {
        let host = with_kills_queries()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", "between-proxy-and-host")
            .start()
            .await;
        let ann = async |path: &str, body: Option<Value>| {
            let request = match &body {
                Some(body) => host.request(reqwest::Method::POST, path).json(body),
                None => host.request(reqwest::Method::GET, path),
            };
            let request =
                request.header("X-Chm-Proxy-Secret", "between-proxy-and-host").header("X-Forwarded-User", "ann");
            Answer::of(request).await.expect(200).json()
        };
        assert_eq!(ann("/api/v1/auth/me", None).await["principal"]["subject"], "ann");
        let told = ann("/api/v1/tools/kills-queries.whoami", Some(json!({}))).await;
        assert_eq!(told["data"]["subject"], "ann");
        let answer = ann("/api/v1/explorer/query", Some(json!({"sql": "SELECT 'law 2'"}))).await;
        let id = answer["metadata"]["queryId"].as_str().expect("a query id").to_owned();
        let engine = engine().await;
        engine.ask("SYSTEM FLUSH LOGS").await;
        let comment = engine
            .ask(&format!("SELECT any(log_comment) FROM system.query_log WHERE query_id = '{id}' FORMAT TSVRaw"))
            .await;
        let comment: Value = serde_json::from_str(&comment).expect("JSON");
        assert_eq!((&comment["principal"], &comment["item"]), (&json!("ann"), &json!("explorer")), "{comment}");
    });
}

#[test]
fn law_4_a_control_statement_needs_the_grant_and_the_callers_right_to_actions() {
    run(async {
        let engine = engine().await;
        let running = "SELECT count() FROM system.processes WHERE query_id = 'law-4-victim'";
        let victim = tokio::spawn(async {
            let sql = "SELECT count() FROM numbers(1000000) WHERE NOT ignore(sleepEachRow(0.01))";
            let settings = [("query_id", "law-4-victim"), ("function_sleep_max_microseconds_per_block", "0")];
            crate::harness::engine().await.ask_with(sql, &settings).await
        });
        eventually("the victim runs", PATIENCE, async || engine.ask(running).await == "1").await;
        let kill = json!({"query_id": "law-4-victim"});

        let ungranted = Host::with_bundled().guest("kills-queries").start().await;
        let answer = ungranted.post("/api/v1/tools/kills-queries.kill", &kill).await.expect(404);
        assert!(answer.text().contains("there is no tool"), "{answer}");
        let without_actions = with_kills_queries().env("CHM_FEATURE_ACTIONS_ENABLED", "false").start().await;
        let answer = without_actions.post("/api/v1/tools/kills-queries.kill", &kill).await.expect(403);
        assert!(answer.text().contains("actions"), "{answer}");
        assert_eq!(engine.ask(running).await, "1", "nothing has happened");

        let host = with_kills_queries().start().await;
        let answer = host.post("/api/v1/tools/kills-queries.kill", &kill).await.expect(200);
        assert_eq!(answer.json()["data"]["killed"], 1, "{answer}");
        let ended = victim.await.expect("a task").expect_err("killed");
        assert!(ended.contains("394"), "{ended}");
        let answer = host.post("/api/v1/tools/kills-queries.kill", &json!({"query_id": "x' OR 1"})).await.expect(400);
        assert!(answer.text().contains("id"), "{answer}");
    });
}

#[test]
fn law_7_a_described_panel_is_answered_without_entering_its_plugin() {
    run(async {
        let host = Host::with_bundled().start().await;
        let calls = async || {
            let plugins = host.get("/api/v1/plugins").await.rows();
            let plugin = plugins.into_iter().find(|plugin| plugin["id"] == "panels-queries").expect("the plugin");
            plugin["calls"].as_u64().expect("a number")
        };
        let described = calls().await;
        for path in
            ["/api/v1/tables/history-queries?limit=5", "/api/v1/tables/slow-queries", "/api/v1/charts/query-count"]
        {
            host.get(path).await.expect(200);
        }
        assert_eq!(calls().await, described);
    });
}

#[test]
fn law_10_nothing_is_written_to_a_watched_server() {
    run(async {
        let engine = small_engine().await;
        let host = Host::with_bundled().watches(&engine.url(), engine.administrator()).start().await;
        let tables = "SELECT groupArray(concat(database, '.', name)) FROM (SELECT database, name FROM system.tables \
                      WHERE NOT (database = 'system' AND name LIKE '%\\_log') ORDER BY database, name)";
        let before = engine.ask(tables).await;
        let start = engine.ask("SELECT now64(6)").await;
        let document = host.get("/openapi.json").await.expect(200).json();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            if methods.get("get").is_some() && !path.contains('{') {
                host.get(path).await;
            }
        }
        host.post("/api/v1/tools/list_databases", &json!({})).await.expect(200);
        host.query("SELECT count() FROM system.tables").await.expect(200);
        assert_eq!(engine.ask(tables).await, before);
        engine.ask("SYSTEM FLUSH LOGS").await;
        let kinds = format!(
            "SELECT arraySort(groupUniqArray(toString(query_kind))) FROM system.query_log \
             WHERE interface = 2 AND event_time_microseconds > '{start}' AND query != 'SYSTEM FLUSH LOGS'"
        );
        assert_eq!(engine.ask(&kinds).await, "['Select']");
        engine.stop().await;
    });
}
