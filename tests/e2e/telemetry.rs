//! What a host tells about itself: request ids, metrics, logs, traces, and its words in ClickHouse's log.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Answer, Host, Receiver, engine, run, shared};

#[test]
fn every_answer_carries_a_request_id_and_a_good_one_is_kept() {
    run(async {
        let host = shared().await;
        let paths =
            ["/healthz", "/api/v1/tables/disks", "/api/v1/tables/absent", "/api/v1/hosts?x", "/nothing", "/metrics"];
        for path in paths {
            let with = |id: &str| Answer::of(host.request(Method::GET, path).header("X-Request-ID", id));
            assert_eq!(with("Trace-1.a_B").await.header("x-request-id"), "Trace-1.a_B", "{path}");
            let first = host.get(path).await.header("x-request-id").to_owned();
            assert!(first.len() >= 16 && first != host.get(path).await.header("x-request-id"), "{path}: {first:?}");
            for bad in ["a b", "", "ä", "<script>", &"x".repeat(65)] {
                let answer = with(bad).await;
                assert!(!answer.header("x-request-id").is_empty(), "{path}: {bad:?}");
                assert_ne!(answer.header("x-request-id"), bad, "{path}");
            }
        }
    });
}

#[test]
fn security_headers_are_on_every_answer() {
    run(async {
        let host = Host::with_bundled().env("CHM_AUTH_PROVIDER", "trusted").start().await;
        for (path, status) in [("/healthz", 200), ("/api/v1/hosts", 401), ("/nothing", 404), ("/docs", 200)] {
            let answer = host.get(path).await.expect(status);
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "strict-origin-when-cross-origin"),
                ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
            ] {
                assert_eq!(answer.header(name), value, "{path}");
            }
        }
    });
}

#[test]
fn metrics_count_requests_plugin_calls_and_queries() {
    run(async {
        let host = Host::with_bundled().start().await;
        host.get("/api/v1/tables/disks").await.expect(200);
        host.get("/api/v1/charts/query-count").await.expect(200);
        host.get("/api/v1/tables/no-such-panel-of-a-client").await.expect(404);
        host.query("SELECT 1").await.expect(200);
        host.query("SELECT no_such_function()").await.expect(400);
        host.post("/api/v1/tools/list_databases", &serde_json::json!({})).await.expect(200);
        let answer = host.get("/metrics").await.expect(200);
        assert!(answer.header("content-type").starts_with("text/plain"), "{}", answer.header("content-type"));
        let text = answer.text();
        let counted = |name: &str, words: &[&str]| {
            let fits = |line: &&str| {
                line.starts_with(name) && words.iter().all(|word| line.contains(word)) && !line.ends_with(" 0")
            };
            assert!(text.lines().any(|line| fits(&line)), "no {name} with {words:?} in\n{text}");
        };
        counted("chm_http_request_duration_seconds_bucket", &["/api/v1/tables/{name}", "\"200\"", "+Inf"]);
        counted("chm_http_request_duration_seconds_count", &["/api/v1/tables/{name}", "\"404\""]);
        counted("chm_http_request_duration_seconds_count", &["/api/v1/explorer/query", "POST", "\"400\""]);
        counted("chm_plugin_call_duration_seconds_count", &["tools-clickhouse", "toolset", "ok"]);
        counted("chm_query_duration_seconds_count", &["table", "ok"]);
        counted("chm_query_duration_seconds_count", &["chart", "ok"]);
        counted("chm_query_duration_seconds_count", &["explorer", "ok"]);
        counted("chm_query_duration_seconds_count", &["plugin", "ok"]);
        counted("chm_plugins", &["active"]);
        assert!(!text.contains("no-such-panel-of-a-client"), "nothing a client sends becomes a label");
    });
}

#[test]
fn log_lines_are_json_and_carry_the_request_id_into_clickhouse() {
    run(async {
        let host = Host::with_bundled().env("CHM_LOG_FORMAT", "json").env("CHM_LOG_LEVEL", "debug").start().await;
        let id = format!("e2e-{}", std::process::id());
        let ask = |request: reqwest::RequestBuilder| Answer::of(request.header("X-Request-ID", &id));
        ask(host.request(Method::GET, "/api/v1/tables/disks")).await.expect(200);
        let tool = host.request(Method::POST, "/api/v1/tools/list_databases").json(&serde_json::json!({}));
        ask(tool).await.expect(200);
        host.logged(&id).await;
        for line in host.stderr().lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
        }
        let engine = engine().await;
        engine.ask("SYSTEM FLUSH LOGS").await;
        let sql = format!(
            "SELECT DISTINCT JSONExtractString(log_comment, 'plugin') FROM system.query_log \
             WHERE JSONExtractString(log_comment, 'request') = '{id}' ORDER BY 1"
        );
        assert_eq!(engine.ask(&sql).await, "panels-system\ntools-clickhouse");
    });
}

#[test]
fn spans_reach_a_collector() {
    run(async {
        let collector = Receiver::open().await;
        let mut host = Host::with_bundled().env("CHM_OTLP_ENDPOINT", collector.url()).start().await;
        host.get("/api/v1/tables/disks").await.expect(200);
        host.post("/api/v1/tools/list_databases", &serde_json::json!({})).await.expect(200);
        // Its end sends what has not been sent.
        host.signal(nix::sys::signal::Signal::SIGTERM);
        assert!(host.wait(Duration::from_secs(10)).is_some_and(|status| status.success()));
        let seen = collector.seen();
        assert!(seen.iter().any(|request| request.method == "POST" && request.path == "/v1/traces"), "{seen:?}");
        let spans: Vec<u8> = seen.into_iter().flat_map(|request| request.body).collect();
        let text = String::from_utf8_lossy(&spans);
        for word in ["chm-host", "/api/v1/tables/{name}", "plugin", "query", "tools-clickhouse"] {
            assert!(text.contains(word), "no `{word}` among the spans: {text}");
        }
    });
}

#[test]
fn a_collector_that_is_down_holds_up_nothing() {
    run(async {
        let mut host = Host::with_bundled().env("CHM_OTLP_ENDPOINT", "http://127.0.0.1:1").start().await;
        host.get("/api/v1/tables/disks").await.expect(200);
        host.signal(nix::sys::signal::Signal::SIGTERM);
        assert!(host.wait(Duration::from_secs(10)).is_some_and(|status| status.success()), "{}", host.stderr());
    });
}
