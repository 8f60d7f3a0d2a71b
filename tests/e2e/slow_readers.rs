//! Readers who take their time: they cost themselves something, and nobody else.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::harness::{Answer, Host, HostBuilder, engine, eventually, run};

const CONFIG: &str = "[limits]\nrow_cap = 10000000\nresult_bytes = 4294967296\n\
    [plugins.flows.grants]\nclickhouse = { hosts = \"all\", max_rows = 10000000, max_bytes = 4294967296 }";

/// With so many places for each of its ClickHouse servers, and half of them for one caller.
fn places(number: &str) -> HostBuilder {
    Host::with_bundled()
        .unhurried()
        .guest("flows")
        .config(CONFIG)
        .env("CLICKHOUSE_POOL_SIZE", number)
        .env("CHM_TRUSTED_PROXIES", "127.0.0.0/8")
}

/// Nobody signs in: callers are addresses.
struct From<'h>(&'h Host, &'static str);

impl From<'_> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.0.request(method, path).header("x-forwarded-for", self.1)
    }

    fn query(&self, sql: &str) -> RequestBuilder {
        self.request(Method::POST, "/api/v1/explorer/query").json(&json!({"sql": sql}))
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// More than all buffers hold, with its first piece read. The query runs until it is dropped.
    async fn holds(&self, request: RequestBuilder) -> BoxStream<'static, reqwest::Result<bytes::Bytes>> {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let mut rows = answer.bytes_stream().boxed();
        assert!(rows.next().await.is_some_and(|piece| piece.is_ok()));
        rows
    }
}

const LARGE: &str = "SELECT number, repeat('x', 500) AS x FROM numbers(9000000)";

#[test]
fn one_caller_with_slow_readers_keeps_nobody_else_out() {
    run(async {
        let host = &places("4").start().await;
        let (slow, other) = (From(host, "192.0.2.1"), From(host, "192.0.2.2"));
        let held = [slow.holds(slow.query(LARGE)).await, slow.holds(slow.query(LARGE)).await];
        // Of the hundred that may wait for four places half are for him; the one too many is told at once, and what to do.
        let waiting: Vec<_> = (0..51).map(|_| tokio::spawn(Answer::of(slow.query("SELECT 1")))).collect();
        let (first, _, rest) = futures::future::select_all(waiting).await;
        let refused = first.expect("an answer");
        refused.error(503, "busy");
        let text = refused.text();
        assert!(text.contains("all 2 places that one caller may have of 4"), "{text}");
        assert!(text.contains("clickhouse.caller_share_percent"), "{text}");

        Answer::of(other.query("SELECT 1")).await.expect(200);
        other.get("/api/v1/tables/disks").await.expect(200);
        let both = [other.holds(other.query(LARGE)).await, other.holds(other.query(LARGE)).await];

        rest.iter().for_each(tokio::task::JoinHandle::abort);
        drop((held, both));
        Answer::of(slow.query("SELECT 1")).await.expect(200);
    });
}

#[test]
fn nobody_waits_for_the_share_of_another_who_asked_for_the_same_first() {
    run(async {
        let host = &places("2").start().await;
        let (slow, other) = (From(host, "192.0.2.1"), From(host, "192.0.2.2"));
        let path = "/api/v1/tables/flows.unique?key=waited-for";
        // What the host asks a server once is known then.
        other.get("/api/v1/tables/flows.unique?key=first").await.expect(200);
        let held = slow.holds(slow.query(LARGE)).await;
        let waiting = tokio::spawn(Answer::of(slow.request(Method::GET, path)));
        for _ in 0..3 {
            other.get(path).await.expect(200);
        }
        // What was kept meanwhile is there for him too.
        slow.get(path).await.expect(200);
        waiting.abort();
        drop(held);
        Answer::of(slow.query("SELECT 1")).await.expect(200);
    });
}

#[test]
fn a_large_result_that_two_asked_for_is_of_the_share_of_each() {
    run(async {
        let host = &places("2").start().await;
        let (one, two) = (From(host, "192.0.2.1"), From(host, "192.0.2.2"));
        let path = "/api/v1/tables/flows.wide?limit=500";
        let (first, second) =
            tokio::join!(one.holds(one.request(Method::GET, path)), two.holds(two.request(Method::GET, path)));
        drop(first);
        Answer::of(one.query("SELECT 1")).await.expect(200);
        let first = one.holds(one.request(Method::GET, path)).await;
        drop(second);
        Answer::of(two.query("SELECT 1")).await.expect(200);
        drop(first);
        let running =
            "SELECT count() FROM system.processes WHERE query_id LIKE 'chm-%' AND query LIKE '%100000) AS text%'";
        eventually("their queries end", Duration::from_secs(20), async || engine().await.ask(running).await == "0")
            .await;
    });
}
