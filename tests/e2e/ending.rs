//! Listening and ending.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Host, Receiver, Reply, client, command, run};

#[test]
fn a_signal_ends_the_host_in_order_within_ten_seconds() {
    run(async {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let mut host =
                Host::with_bundled().config("[limits]\nrow_cap = 10000000\nresult_bytes = 4294967296").start().await;
            // A connection that stays open, and a stream that nobody reads to its end.
            host.get("/api/v1/tables/disks").await.expect(200);
            let body = json!({"sql": "SELECT number, repeat('x', 500) AS x FROM numbers(9000000)"});
            let stream =
                host.request(Method::POST, "/api/v1/explorer/query").json(&body).send().await.expect("an answer");
            let sent = Instant::now();
            host.signal(signal);
            let status = host.wait(Duration::from_secs(10));
            assert!(status.is_some_and(|status| status.success()), "{signal}: {status:?} after {:?}", sent.elapsed());
            assert!(stream.bytes().await.is_err(), "{signal}: what was cut off looked complete");
            assert!(client().get(host.url()).send().await.is_err(), "{signal}: it still listens");
        }
    });
}

#[test]
fn requests_under_way_are_answered_before_the_end() {
    run(async {
        let receiver = Receiver::start(|_, _| {
            tokio::task::block_in_place(|| std::thread::sleep(Duration::from_secs(1)));
            Reply::status(200)
        })
        .await;
        let mut host = Host::with_bundled().env("HEALTH_ALERT_WEBHOOK_URL", receiver.url()).start().await;
        let request = tokio::spawn(Answer::of(host.request(Method::POST, "/api/v1/alerts/test").json(&json!({}))));
        crate::harness::eventually("the request is under way", Duration::from_secs(20), async || {
            !receiver.seen().is_empty()
        })
        .await;
        host.signal(Signal::SIGTERM);
        let answer = request.await.expect("a task").expect(200);
        assert_eq!(answer.json()["data"][0]["state"], "delivered", "{answer}");
        assert!(host.wait(Duration::from_secs(10)).is_some_and(|status| status.success()));
    });
}

#[test]
fn an_address_that_is_taken_is_said_with_what_to_do() {
    run(async {
        let first = Host::with_bundled().watches_nothing().start().await;
        let taken = first.url().strip_prefix("http://").expect("http");
        let folder = crate::harness::PluginFolder::empty();
        let mut serve = command(&["serve", "--listen", taken, "--plugins"]);
        let output = serve.arg(folder.path()).output().expect("a process");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(taken) && said.contains("--listen"), "{said}");
        let output = command(&["serve", "--plugins", "no/such/folder"]).output().expect("a process");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("no/such/folder"), "{said}");
    });
}

#[test]
fn a_host_says_what_it_lets_callers_do() {
    run(async {
        let cases = [
            (vec![], "read and write everything"),
            (vec![("CHM_AUTH_PROVIDER", "trusted")], "read nothing; write nothing"),
            (vec![("CHM_AUTH_PROVIDER", "trusted"), ("CHM_PUBLIC_READ", "true")], "write nothing"),
        ];
        for (variables, words) in cases {
            let mut builder = Host::with_bundled().watches_nothing();
            for (name, value) in &variables {
                builder = builder.env(name, value);
            }
            builder.start().await.logged(words).await;
        }
    });
}
