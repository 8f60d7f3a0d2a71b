//! Bad input and bad servers: each has its status, the field's name, and nothing that is nobody's business.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Host, READER, engine, run, shared, small_engine};

#[test]
fn bad_parameters_are_named() {
    run(async {
        let host = shared().await;
        let panel = "/api/v1/tables/running-queries";
        let chart = "/api/v1/charts/query-count";
        let cases = [
            (format!("{panel}?hostId=1abc"), "hostId"),
            (format!("{panel}?hostId=-1"), "hostId"),
            (format!("{panel}?hostId=99"), "hostId"),
            (format!("{panel}?hostId="), "hostId"),
            (format!("{panel}?hostId=0x0"), "hostId"),
            (format!("{panel}?hostId=99999999999999999999"), "hostId"),
            (format!("{panel}?hostId=%2B0"), "hostId"),
            (format!("{panel}?limit=0"), "limit"),
            (format!("{panel}?limit=-1"), "limit"),
            (format!("{panel}?limit=1e3"), "limit"),
            (format!("{panel}?limit=1000000"), "limit"),
            (format!("{panel}?format=xml"), "format"),
            (format!("{panel}?timezone=Mars'--"), "timezone"),
            (format!("{panel}?colour=red"), "colour"),
            (format!("{panel}?hostid=0"), "hostid"),
            (format!("{panel}?hostId=0&hostId=0"), "hostId"),
            (format!("{panel}?format=json&format=csv"), "format"),
            (format!("{chart}?interval=sometimes"), "interval"),
            (format!("{chart}?interval="), "interval"),
            (format!("{chart}?lastHours=0"), "lastHours"),
            (format!("{chart}?lastHours=9999999"), "lastHours"),
            (format!("{chart}?lastHours=many"), "lastHours"),
            ("/api/v1/host-status".to_owned(), "hostId"),
            ("/api/v1/host-status?hostId=1abc".to_owned(), "hostId"),
            ("/api/v1/host-status?hostId=7".to_owned(), "hostId"),
            ("/api/v1/host-status?hostId=%2B0".to_owned(), "hostId"),
            ("/api/v1/overview?hostId=%2B0".to_owned(), "hostId"),
            ("/api/v1/overview?hostId=0&hostId=0".to_owned(), "hostId"),
            ("/api/v1/menu-counts?hostId=0&hostId=0".to_owned(), "hostId"),
            ("/api/v1/explorer/databases".to_owned(), "hostId"),
            ("/api/v1/explorer/preview?hostId=0&database=a&table=b&limit=0".to_owned(), "limit"),
            ("/api/v1/tables?limit=1001".to_owned(), "limit"),
            ("/api/v1/tables?limit=many".to_owned(), "limit"),
            ("/api/v1/tables?hostId=1abc".to_owned(), "hostId"),
            ("/api/v1/tables/query-detail".to_owned(), "query_id"),
        ];
        for (path, field) in cases {
            let answer = host.get(&path).await;
            let message = answer.error(400, "validation_error");
            assert_eq!(answer.json()["error"]["details"]["field"], field, "{answer}");
            assert!(message.contains(field), "{answer}");
            let words = ["it is required", "expected", "Available hosts", "twice", "unknown here"];
            assert!(words.iter().any(|word| message.contains(word)), "what to do instead: {answer}");
        }
    });
}

#[test]
fn bad_bodies_are_named() {
    run(async {
        let host = shared().await;
        let path = "/api/v1/explorer/query";
        let cases = [
            (json!({}), "sql"),
            (json!({"sql": 1}), "sql"),
            (json!({"sql": null}), "sql"),
            (json!({"sql": ""}), "sql"),
            (json!({"sql": "SELECT 1", "colour": "red"}), "colour"),
            (json!({"sql": "SELECT 1", "hostId": 99}), "hostId"),
            (json!({"sql": "SELECT 1", "hostId": "0"}), "hostId"),
            (json!({"sql": "SELECT 1", "hostId": -1}), "hostId"),
            (json!({"sql": "SELECT 1", "format": "XML"}), "format"),
            (json!({"sql": "SELECT 1", "limit": 0}), "limit"),
            (json!({"sql": "SELECT 1", "timezone": "'"}), "timezone"),
            (json!({"sql": "SELECT 1", "database": "a.b"}), "database"),
            (json!({"sql": "x".repeat(100_001)}), "sql"),
            (json!([1]), "body"),
        ];
        for (body, field) in cases {
            let answer = host.post(path, &body).await;
            let message = answer.error(400, "validation_error");
            // An empty statement is told as such.
            assert!(
                answer.json()["error"]["details"]["field"] == field || message.contains(field),
                "{field}: {answer}"
            );
            assert!(!message.contains("failed to parse"), "{answer}");
        }
        let post =
            |body: &'static str, media: &str| host.request(Method::POST, path).header("content-type", media).body(body);
        for body in ["", "{", "{\"sql\":", "SELECT 1", "{\"sql\":\"SELECT 1\"} {}", "\u{0}"] {
            Answer::of(post(body, "application/json")).await.error(400, "validation_error");
        }
        let answer = Answer::of(post("{\"sql\":\"SELECT 1\"}", "text/plain")).await;
        assert!([400, 415].contains(&answer.status), "{answer}");
        assert_eq!(answer.json()["success"], false, "{answer}");
    });
}

#[test]
fn a_body_over_the_limit_is_413_with_or_without_its_length() {
    run(async {
        let host = shared().await;
        let large = json!({"sql": format!("SELECT '{}'", "x".repeat(2 << 20))}).to_string();
        for path in ["/api/v1/explorer/query", "/api/v1/tools/query", "/api/v1/alerts/test"] {
            let sized = host.request(Method::POST, path).header("content-type", "application/json").body(large.clone());
            Answer::of(sized).await.error(413, "too_large");
            let pieces: Vec<Result<String, std::io::Error>> =
                large.as_bytes().chunks(1 << 16).map(|piece| Ok(String::from_utf8_lossy(piece).into_owned())).collect();
            let streamed = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
            let unsized_ = host.request(Method::POST, path).header("content-type", "application/json").body(streamed);
            Answer::of(unsized_).await.error(413, "too_large");
        }
        let small = Host::with_bundled().config("[limits]\nbody_bytes = 64").start().await;
        small.query("SELECT 1").await.expect(200);
        small.query(&format!("SELECT '{}'", "x".repeat(64))).await.error(413, "too_large");
    });
}

#[test]
fn what_does_not_exist_is_404_with_near_names() {
    run(async {
        let host = shared().await;
        let near = |answer: &Answer| answer.json()["error"]["details"]["near"].clone();
        let answer = host.get("/api/v1/tables/runing-queries").await;
        let message = answer.error(404, "table_not_found");
        assert!(message.contains("running-queries"), "{message}");
        assert_eq!(near(&answer)[0], "running-queries", "{answer}");
        assert!(answer.json()["error"]["details"]["availableTables"].as_str().is_some_and(|all| all.contains("disks")));
        let answer = host.get("/api/v1/charts/query-cuont").await;
        answer.error(404, "table_not_found");
        assert_eq!(near(&answer)[0], "query-count", "{answer}");
        // A chart is no table.
        host.get("/api/v1/tables/query-count").await.error(404, "table_not_found");
        let answer = host.post("/api/v1/tools/list_database", &json!({})).await;
        answer.error(404, "table_not_found");
        assert_eq!(near(&answer)[0], "list_databases", "{answer}");
        for path in ["/", "/api", "/api/v1", "/api/v2/hosts", "/api/v1/nothing", "/metrics/", "/docs/../healthz/x"] {
            host.get(path).await.error(404, "table_not_found");
        }
        let answer = Answer::of(host.request(Method::DELETE, "/api/v1/hosts")).await;
        assert_eq!(answer.status, 405, "{answer}");
        assert_eq!(answer.json()["success"], false, "{answer}");
        host.query("SELECT * FROM e2e.absent").await.error(404, "table_not_found");
        host.query("SELECT absent FROM e2e.kept").await;
    });
}

#[test]
fn errors_of_clickhouse_keep_their_code_and_lose_their_address() {
    run(async {
        let host = shared().await;
        let cases = [
            ("SELECT * FROM e2e.absent", 404, "table_not_found", 60),
            ("SELECT * FROM absent.kept", 404, "table_not_found", 81),
            ("SELECT 1 +", 400, "validation_error", 0),
            ("SELECT no_such_function(1)", 400, "validation_error", 46),
            ("SELECT repeat('x', 1000000000)", 400, "validation_error", 131),
            ("SELECT arrayMap((x, y) -> x, [1], [1, 2])", 400, "validation_error", 190),
            ("SELECT throwIf(1, 'on purpose')", 500, "query_error", 395),
        ];
        for (sql, status, word, code) in cases {
            let answer = host.query(sql).await;
            answer.error(status, word);
            if code != 0 {
                assert_eq!(answer.json()["error"]["details"]["clickhouseCode"], code, "{answer}");
            }
            safe(&answer, &engine().await.url());
        }
    });
}

/// Neither addresses nor passwords.
#[track_caller]
fn safe(answer: &Answer, url: &str) {
    let text = answer.text();
    let address = url.trim_start_matches("http://");
    for word in [address, "http://", "password", "Stack trace"] {
        assert!(!text.contains(word), "{word:?} in {answer}");
    }
}

#[test]
fn a_slow_query_is_stopped_with_504() {
    run(async {
        let host = Host::with_bundled().env("CLICKHOUSE_MAX_EXECUTION_TIME", "1").start().await;
        let began = Instant::now();
        let answer = host.query("SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))").await;
        answer.error(504, "timeout_error");
        assert_eq!(answer.json()["error"]["details"]["clickhouseCode"], 159, "{answer}");
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        safe(&answer, &engine().await.url());
    });
}

#[test]
fn a_wrong_password_and_a_missing_right_are_403() {
    run(async {
        let url = engine().await.url();
        let stranger = Host::with_bundled().watches(&url, (READER.0, "not-the-password-at-all")).start().await;
        for path in ["/api/v1/tables/running-queries", "/api/v1/host-status?hostId=0", "/api/v1/charts/query-count"] {
            let answer = stranger.get(path).await;
            answer.error(403, "permission_error");
            assert!(!answer.text().contains("not-the-password-at-all"), "{answer}");
        }
        let reader = Host::with_bundled().watches_as(READER).await.start().await;
        reader.get("/api/v1/tables/running-queries").await.expect(200);
        let answer = reader.query("SELECT * FROM e2e.kept").await;
        answer.error(403, "permission_error");
        assert_eq!(answer.json()["error"]["details"]["clickhouseCode"], 497, "{answer}");
        let answer = reader.post("/api/v1/tools/query", &json!({"sql": "SELECT * FROM e2e.kept"})).await;
        answer.error(403, "permission_error");
    });
}

#[test]
fn a_server_out_of_memory_is_500_and_a_server_that_is_gone_503() {
    run(async {
        let engine = small_engine().await;
        let url = engine.url();
        let host = Host::with_bundled().watches(&url, engine.administrator()).start().await;
        let answer = host.query("SELECT length(groupArray(number)) FROM numbers(1000000000)").await;
        answer.error(500, "query_error");
        assert_eq!(answer.json()["error"]["details"]["clickhouseCode"], 241, "{answer}");
        safe(&answer, &url);
        host.query("SELECT 1").await.expect(200);

        engine.stop().await;
        for path in ["/api/v1/tables/running-queries", "/api/v1/charts/query-count", "/api/v1/host-status?hostId=0"] {
            let answer = host.get(path).await;
            answer.error(503, "network_error");
            safe(&answer, &url);
        }
        safe(&host.query("SELECT 1").await, &url);
        host.post("/api/v1/tools/list_databases", &json!({})).await.error(503, "network_error");
        // A dead server does not restart its monitor.
        host.get("/healthz").await.expect(200);
        host.get("/api/v1/hosts").await.expect(200);
    });
}

#[test]
fn a_host_without_servers_says_how_to_name_one() {
    run(async {
        let host = Host::with_bundled().watches_nothing().start().await;
        for path in ["/api/v1/hosts", "/api/v1/tables/running-queries"] {
            let message = host.get(path).await.error(503, "network_error");
            assert!(message.contains("CLICKHOUSE_HOST"), "{message}");
        }
        host.get("/healthz").await.expect(200);
        host.get("/api/v1/plugins").await.expect(200);
    });
}
