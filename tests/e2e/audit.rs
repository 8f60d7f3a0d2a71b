//! The audit log: who did, or tried to do, what, from where, and how it ended.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Host, PluginFolder, engine, eventually, run, shared};
use crate::key_management::{ask, minted};

const SECRET: &str = "a-secret-that-signs-keys";

async fn entries(host: &Host, query: &str) -> Vec<Value> {
    let answer = ask(host, Method::GET, &format!("/api/v1/audit?limit=1000&{query}"), SECRET, None).await.expect(200);
    answer.json()["data"].as_array().unwrap().clone()
}

#[test]
fn every_write_and_every_denied_write_is_in_the_log_and_no_read() {
    run(async {
        let host = Host::with_bundled()
            .unhurried()
            .env("CHM_API_KEY_SECRET", SECRET)
            .env("CHM_TRUSTED_PROXIES", "127.0.0.1")
            .start()
            .await;
        let (reader, id) = minted(&host, SECRET, json!({"label": "reader", "scopes": ["*:read"]})).await;
        let (writer, _) = minted(&host, SECRET, json!({"label": "writer"})).await;
        let console = "/api/v1/explorer/query";
        let query = |sql: &str| Some(json!({"sql": sql}));
        ask(&host, Method::POST, console, &writer, query("SELECT 1")).await.expect(200);
        ask(&host, Method::POST, console, &writer, query("SELECT FROM WHERE")).await;
        ask(&host, Method::POST, console, &reader, query("SELECT 1")).await.expect(403);
        ask(&host, Method::GET, "/api/v1/hosts", &reader, None).await.expect(200);
        ask(&host, Method::POST, "/api/v1/tools/list_databases", &reader, Some(json!({}))).await.expect(200);
        let stranger = host.request(Method::POST, console).header("x-forwarded-for", "192.0.2.7");
        let stranger = stranger.header("x-request-id", "r-stranger").json(&json!({"sql": "SELECT 1"}));
        Answer::of(stranger).await.expect(401);
        ask(&host, Method::DELETE, &format!("/api/v1/auth/api-keys/{id}"), &writer, None).await.expect(403);
        // What was to be a key, by nobody and from a strange page.
        ask(&host, Method::POST, "/api/v1/auth/api-key", "a guess", Some(json!({}))).await.expect(401);
        let strange = host.request(Method::POST, "/api/v1/auth/api-key").bearer_auth(SECRET).json(&json!({}));
        Answer::of(strange.header("origin", "https://evil.example")).await.expect(403);
        ask(&host, Method::DELETE, &format!("/api/v1/auth/api-keys/{id}"), SECRET, None).await.expect(200);

        let seen: Vec<_> = entries(&host, "")
            .await
            .into_iter()
            .rev()
            .filter(|entry| entry["action"] != "plugin.load")
            .map(|entry| {
                let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
                let who = format!("{} {}", text(&entry["actor"]["kind"]), text(&entry["actor"]["subject"]));
                format!("{who}: {} {} {}", text(&entry["action"]), text(&entry["outcome"]), text(&entry["target"]))
            })
            .collect();
        let key = |action: &str| format!("admin admin: key.{action} done");
        let expected = [
            (key("mint"), ""),
            (key("mint"), ""),
            ("api_key writer: request.write done".to_owned(), "POST /api/v1/explorer/query"),
            ("api_key writer: request.write failed".to_owned(), "POST /api/v1/explorer/query"),
            ("api_key reader: request.write denied".to_owned(), "POST /api/v1/explorer/query"),
            ("anonymous -: request.write denied".to_owned(), "POST /api/v1/explorer/query"),
            ("api_key writer: request.write denied".to_owned(), "DELETE /api/v1/auth/api-keys/"),
            ("anonymous -: request.write denied".to_owned(), "POST /api/v1/auth/api-key"),
            ("admin admin: request.write denied".to_owned(), "POST /api/v1/auth/api-key"),
            (key("revoke"), id.as_str()),
        ];
        assert_eq!(seen.len(), expected.len(), "{seen:#?}");
        for (seen, (begin, target)) in seen.iter().zip(&expected) {
            assert!(seen.starts_with(begin.as_str()) && seen.contains(target), "{seen} is not {begin} {target}");
        }
        let denied = entries(&host, "action=request.write").await;
        let stranger = denied.iter().find(|entry| entry["requestId"] == "r-stranger").expect("the stranger's request");
        assert_eq!(stranger["address"], "192.0.2.7");
        assert_eq!(stranger["details"], json!({"needs": "tables:write", "status": 401}));
        let guess = denied.iter().find(|entry| entry["details"]["status"] == 401 && entry["address"] == "127.0.0.1");
        assert_eq!(guess.expect("the guess")["details"]["needs"], "it has a credential of its own");
        let all = serde_json::to_string(&entries(&host, "").await).unwrap();
        for secret in [SECRET, &reader, &writer] {
            assert!(!all.contains(secret), "a secret is in the audit log");
        }
    });
}

#[test]
fn the_log_is_read_by_time_action_and_subject_page_by_page() {
    run(async {
        let host = Host::with_bundled().unhurried().env("CHM_API_KEY_SECRET", SECRET).start().await;
        for number in 0..5 {
            minted(&host, SECRET, json!({"label": format!("n{number}")})).await;
        }
        let (token, _) = minted(&host, SECRET, json!({"label": "ann"})).await;
        ask(&host, Method::POST, "/api/v1/explorer/query", &token, Some(json!({"sql": "SELECT 1"}))).await.expect(200);
        assert_eq!(entries(&host, "subject=ann").await.len(), 1);
        assert_eq!(entries(&host, "action=key.mint").await.len(), 6);
        assert_eq!(entries(&host, "action=key.mint&subject=ann").await.len(), 0);
        assert_eq!(entries(&host, "since=2100-01-01T00:00:00Z").await.len(), 0);
        assert_eq!(entries(&host, "until=2000-01-01T00:00:00Z").await.len(), 0);
        assert_eq!(
            entries(&host, "action=key.mint&since=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z").await.len(),
            6
        );

        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/audit?action=key.mint&limit=4{cursor}");
            let page = ask(&host, Method::GET, &path, SECRET, None).await.expect(200).json();
            seen.extend(page["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_i64().unwrap()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
        for query in ["since=yesterday", "until=2026-01-01", "cursor=x", "limit=0"] {
            let answer = ask(&host, Method::GET, &format!("/api/v1/audit?{query}"), SECRET, None).await;
            answer.error(400, "validation_error");
        }
        for method in [Method::POST, Method::DELETE, Method::PUT] {
            ask(&host, method, "/api/v1/audit", SECRET, Some(json!({}))).await.expect(405);
        }
    });
}

#[test]
fn a_write_whose_client_leaves_is_in_the_log_too() {
    run(async {
        let host = Host::with_bundled().env("CHM_API_KEY_SECRET", SECRET).start().await;
        let (token, _) = minted(&host, SECRET, json!({"label": "ann"})).await;
        let request = host.request(Method::POST, "/api/v1/explorer/query").bearer_auth(token);
        let sql = "SELECT count() AS left_alone FROM system.numbers WHERE sipHash64(number) = 0";
        let answer = tokio::spawn(request.json(&json!({"sql": sql})).send());
        let running = "SELECT count() FROM system.processes WHERE query LIKE '%left_alone%' AND query_id LIKE 'chm-%'";
        eventually("the query runs", Duration::from_secs(20), async || engine().await.ask(running).await == "1").await;
        answer.abort();
        eventually("its entry", Duration::from_secs(10), async || {
            let entries = entries(&host, "action=request.write&subject=ann").await;
            entries.iter().any(|entry| entry["outcome"] == "failed" && entry["details"]["status"] == "broken off")
        })
        .await;
    });
}

#[test]
fn what_became_of_each_plugin_is_in_the_log() {
    run(async {
        let plugins = PluginFolder::bundled().with_file("broken.wasm", b"no component");
        let host = Host::with_bundled().plugins(plugins).env("CHM_API_KEY_SECRET", SECRET).start().await;
        let loads = entries(&host, "action=plugin.load").await;
        let of =
            |id: &str| loads.iter().find(|entry| entry["target"] == id).unwrap_or_else(|| panic!("no {id}: {loads:?}"));
        let loaded = of("auth-trusted");
        assert_eq!((&loaded["outcome"], &loaded["actor"]["kind"]), (&json!("done"), &json!("host")));
        assert_eq!(loaded["details"]["sha256"].as_str().map(str::len), Some(64), "{loaded}");
        let refused = of("broken.wasm");
        assert_eq!(refused["outcome"], "denied", "{refused}");
        assert!(refused["details"]["reason"].is_string(), "{refused}");
    });
}

#[test]
fn a_control_statement_is_in_the_log_with_who_asked_for_it() {
    run(async {
        let host = Host::with_bundled()
            .guest("kills-queries")
            .config("[plugins.kills-queries.grants]\ncontrol = [\"kill-query\"]")
            .env("CHM_API_KEY_SECRET", SECRET)
            .start()
            .await;
        let (token, _) = minted(&host, SECRET, json!({"label": "ann"})).await;
        let kill = Some(json!({"query_id": "of-nobody"}));
        ask(&host, Method::POST, "/api/v1/tools/kills-queries.kill", &token, kill).await.expect(200);
        let killed = entries(&host, "action=control.kill-query").await;
        assert_eq!(killed.len(), 1, "{killed:?}");
        assert_eq!((&killed[0]["target"], &killed[0]["actor"]["subject"]), (&json!("of-nobody"), &json!("ann")));
        assert_eq!(killed[0]["details"], json!({"plugin": "kills-queries", "host": 0}));
        assert_eq!(killed[0]["address"], "127.0.0.1");
        assert!(killed[0]["requestId"].is_string());
    });
}

#[test]
fn where_nobody_signs_in_the_log_is_open_and_without_a_store_it_is_in_the_hosts_log() {
    run(async {
        let host = shared().await;
        host.query("SELECT 1").await.expect(200);
        let log = host.get("/api/v1/audit?action=request.write&limit=1000").await.expect(200).json();
        let entry = &log["data"][0];
        assert_eq!((&entry["actor"], &entry["outcome"]), (&json!({"kind": "open", "subject": null}), &json!("done")));

        let storeless = Host::with_bundled().env("CHM_STORE_URL", "none").start().await;
        storeless.get("/api/v1/audit").await.error(503, "network_error");
        storeless.query("SELECT 1").await.expect(200);
        storeless.logged("POST /api/v1/explorer/query").await;
    });
}
