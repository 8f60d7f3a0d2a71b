//! Plugins that loop, allocate, trap or lie: each fails alone.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Answer, Host, HostBuilder, engine, eventually, run};

/// The panels' wall-clock limit, and generous time for a busy machine.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

fn misbehaving() -> HostBuilder {
    Host::with_bundled().guest("misbehaves").config("[plugins.misbehaves.grants]\nclickhouse = { hosts = \"all\" }")
}

async fn plugin(host: &Host, id: &str) -> Value {
    let plugins = host.get("/api/v1/plugins").await.expect(200).rows();
    plugins.into_iter().find(|plugin| plugin["id"] == id).unwrap_or_else(|| panic!("no plugin {id}"))
}

#[test]
fn fifty_requests_succeed_while_guests_loop_allocate_and_trap() {
    run(async {
        let host = misbehaving().start().await;
        let host = &host;
        let breaking = [("plan-loops", "cpu"), ("plan-allocates", "memory"), ("plan-traps", "trap")];
        let broken = join_all(breaking.iter().cycle().take(6).map(|(panel, kind)| async move {
            let began = Instant::now();
            let answer = host.get(&format!("/api/v1/tables/misbehaves.{panel}")).await;
            (answer, *kind, began.elapsed())
        }));
        let sound = [
            "tables/disks",
            "tables/merges",
            "tables/misbehaves.works",
            "charts/query-count",
            "tables/running-queries",
        ];
        let others = join_all((0..50).map(|number| {
            let path = sound[number % sound.len()];
            async move { host.get(&format!("/api/v1/{path}")).await }
        }));
        let (broken, others) = tokio::join!(broken, others);
        for answer in others {
            assert_eq!(answer.status, 200, "{answer}");
        }
        for (answer, kind, took) in broken {
            answer.error(502, "plugin_error");
            assert_eq!(answer.json()["error"]["details"]["kind"], kind, "{answer}");
            assert!(took < STOPPED_WITHIN, "{} took {took:?}", answer.what);
        }
        let entry = plugin(host, "misbehaves").await;
        assert_eq!(entry["state"], "active");
        assert!(entry["failures"].as_u64().is_some_and(|failures| failures >= 6), "{entry}");
        assert!(entry["lastFailure"].is_string() && entry["lastFailureAt"].is_string(), "{entry}");
        assert_eq!(plugin(host, "panels-queries").await["failures"], 0);
    });
}

#[test]
fn every_way_to_break_has_its_answer_and_the_guest_serves_on() {
    run(async {
        let host = misbehaving().start().await;
        let broken = [
            ("plan-loops", "cpu"),
            ("plan-allocates", "memory"),
            ("plan-traps", "trap"),
            ("plan-panics", "trap"),
            ("plan-overflows", "trap"),
            ("plan-fails", "failure"),
            ("fetch-loops", "cpu"),
            ("transform-traps", "trap"),
            // What it answered was refused by the host, so the guest itself did not fail.
            ("plan-reads-an-address", ""),
            ("plan-writes", ""),
            ("fetch-garbage", ""),
            ("fetch-an-object", ""),
        ];
        for (panel, kind) in broken {
            let began = Instant::now();
            let answer = host.get(&format!("/api/v1/tables/misbehaves.{panel}")).await;
            let message = answer.error(502, "plugin_error");
            assert!(message.contains("misbehaves"), "{panel}: {message}");
            assert!(!answer.text().contains("for the log only"), "{answer}");
            if !kind.is_empty() {
                assert_eq!(answer.json()["error"]["details"]["kind"], kind, "{panel}: {answer}");
            }
            assert!(began.elapsed() < STOPPED_WITHIN, "{panel} took {:?}", began.elapsed());
            host.get("/api/v1/tables/misbehaves.works").await.expect(200);
        }
        // What a guest says of its failure, or before it panics, is for the operator.
        host.logged("words for the log only").await;
        host.logged("a guest's last words").await;
    });
}

#[test]
fn a_guest_that_waits_for_ever_is_stopped_by_the_clock() {
    run(async {
        // Its own work is nothing: it waits for a query, and starts another.
        let host = misbehaving().config("[plugins.misbehaves.limits]\nwall_ms = 1500").start().await;
        let answer = host.get("/api/v1/tables/misbehaves.plan-waits").await;
        answer.error(502, "plugin_error");
        assert_eq!(answer.json()["error"]["details"]["kind"], "wall", "{answer}");
        // The query goes with it.
        let of_the_guest = "JSONExtractString(log_comment, 'plugin') = 'misbehaves'";
        let running = format!(
            "SELECT count() FROM (SELECT Settings['log_comment'] AS log_comment FROM system.processes) WHERE {of_the_guest}"
        );
        let gone = async || engine().await.ask(&running).await == "0";
        eventually("the guest's query is cancelled", STOPPED_WITHIN, gone).await;
        engine().await.ask("SYSTEM FLUSH LOGS").await;
        let cancelled = format!(
            "SELECT count() > 0 FROM system.query_log WHERE type = 'ExceptionWhileProcessing' AND exception_code = 394 AND {of_the_guest}"
        );
        assert_eq!(engine().await.ask(&cancelled).await, "1");
    });
}

#[test]
fn what_works_in_a_guest_works_beside_what_does_not() {
    run(async {
        let host = &misbehaving().start().await;
        let rows = |answer: Answer| answer.expect(200).rows();
        let get = |panel: &str| {
            let path = format!("/api/v1/tables/misbehaves.{panel}");
            async move { host.get(&path).await }
        };
        assert_eq!(rows(get("fetch-works").await), [json!({"n": 1}), json!({"n": 2}), json!({"n": 3})]);
        assert_eq!(rows(get("transform-works").await).len(), 5);
        let flood = get("fetch-a-flood").await.expect(200).json();
        assert_eq!((&flood["metadata"]["rows"], &flood["metadata"]["truncated"]), (&json!(1000), &json!(true)));
        let unavailable = [
            ("needs-what-is-missing", "not_in_this_version", "no_such_table"),
            ("needs-a-newer-server", "not_in_this_version", "99.1"),
        ];
        for (panel, reason, word) in unavailable {
            let body = get(panel).await.expect(200).json();
            let why = &body["metadata"]["unavailable"];
            assert_eq!((&body["data"], &why["reason"]), (&json!([]), &json!(reason)), "{body}");
            assert!(why["message"].as_str().is_some_and(|message| message.contains(word)), "{body}");
        }
    });
}

#[test]
fn a_tool_that_breaks_is_a_typed_error() {
    run(async {
        let host = &misbehaving().start().await;
        let call = |tool: &str| {
            let path = format!("/api/v1/tools/misbehaves.{tool}");
            async move { host.post(&path, &json!({})).await }
        };
        for tool in ["answers_garbage", "answers_nothing", "fails", "loops", "traps"] {
            let answer = call(tool).await;
            answer.error(502, "plugin_error");
            assert!(!answer.text().contains("for the log only"), "{answer}");
        }
        let message = call("refuses").await.error(400, "validation_error");
        assert!(message.contains("`colour`: expected one of red, green"), "{message}");
        let works = call("works").await.expect(200);
        assert_eq!(works.json()["data"]["asked_in"], works.header("x-request-id"), "{works}");
    });
}

#[test]
fn a_broken_auth_provider_lets_nobody_in() {
    run(async {
        let host = Host::with_bundled()
            .guest("auth-misbehaves")
            .config("[plugins.auth-misbehaves]\nenabled = true")
            .env("CHM_AUTH_PROVIDER", "auth-misbehaves")
            .start()
            .await;
        let ask = |how: &'static str| {
            let request = host.request(reqwest::Method::GET, "/api/v1/auth/me").header("X-How", how);
            async move { (Answer::of(request).await, how) }
        };
        // It does sign in when it works, so that what follows proves something.
        let (answer, _) = ask("works").await;
        assert_eq!(answer.expect(200).json()["principal"]["subject"], "mallory");
        let cookies = host.request(reqwest::Method::GET, "/api/v1/auth/me").header("Cookie", "other=x; how=works");
        Answer::of(cookies).await.expect(200);
        for how in ["loops", "allocates", "traps", "fails", "rejects", "signs-in-nobody", "else"] {
            let (answer, how) = ask(how).await;
            assert_eq!(answer.status, 401, "{how}: {answer}");
            assert_eq!(answer.json(), json!({"error": "Authentication required"}), "{how}");
        }
        host.get("/api/v1/auth/me").await.expect(401);
        // Many at once: none is let in because the places ran out.
        for (answer, how) in join_all((0..60).map(|number| ask(["loops", "allocates", "traps"][number % 3]))).await {
            assert_eq!(answer.status, 401, "{how}: {answer}");
        }
        // Whoever probes whether the process lives is not kept waiting by it.
        host.get("/healthz").await.expect(200);
        ask("works").await.0.expect(200);
    });
}

#[test]
fn without_its_auth_plugin_a_host_lets_nobody_in() {
    run(async {
        let folder = crate::harness::PluginFolder::empty();
        let host = Host::with_bundled()
            .plugins(folder)
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_ALLOW_INSECURE", "true")
            .start()
            .await;
        let request = host.request(reqwest::Method::GET, "/api/v1/hosts").header("X-Forwarded-User", "ann");
        Answer::of(request).await.expect(401);
    });
}
