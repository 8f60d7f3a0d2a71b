//! Ten million rows through the host, and straight from the same ClickHouse. Figures and what they mean: `docs/performance.md`.
//!
//! `cargo bench -p chm-host --bench stream`
//!
//! The host is the program as it is released, in a process of its own; `curl` reads both sides, which take turns, so that what else
//! the machine does meets both. Client, host and server share the machine.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod curl;
#[allow(dead_code, unused_imports, clippy::unwrap_used)]
#[path = "../../e2e/harness/mod.rs"]
mod harness;
mod memory;

use std::time::Duration;

use futures::StreamExt;
use harness::{Host, engine, eventually, run};

use curl::{Curl, Took};
use memory::Watch;

const ROUNDS: usize = 5;
const WIDE: &str = "[limits]\nrow_cap = 10000000\nresult_bytes = 4294967296";

fn main() {
    // `cargo test --all-targets` starts it too, and wants no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rows: u64 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(10_000_000);
    run(measure(rows));
}

async fn measure(rows: u64) {
    let host = Host::with_bundled().config(WIDE).env("CHM_LOG_LEVEL", "warn").start().await;
    let sql = format!("SELECT number, toString(number) AS text, number * 0.5 AS half FROM numbers({rows})");
    let (user, password) = engine().await.administrator();
    let straight = Curl::post(&engine().await.url(), &format!("{sql} FORMAT JSONEachRow"))
        .header("X-ClickHouse-User", user)
        .header("X-ClickHouse-Key", password);
    let body = serde_json::json!({"sql": sql, "format": "ndjson"}).to_string();
    let through =
        Curl::post(&format!("{}/api/v1/explorer/query", host.url()), &body).header("Content-Type", "application/json");
    straight.run().await;
    through.run().await;
    let (mut direct, mut hosted, mut grown) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        direct.push(straight.run().await);
        let watch = Watch::start(host.process());
        hosted.push(through.run().await);
        grown = grown.max(watch.grown());
    }
    let bytes = direct.first().map_or(0, |took| took.bytes);
    assert!(hosted.iter().all(|took| took.bytes == bytes), "both sides send the same bytes");
    println!("{rows} rows as ndjson, {} MiB, median of {ROUNDS} rounds\n", bytes >> 20);
    println!("{:<12} {:>8} {:>10} {:>14}", "", "s", "MiB/s", "first byte ms");
    for (name, took) in [("ClickHouse", &direct), ("host", &hosted)] {
        let (whole, first) = (median(took, |took| took.whole), median(took, |took| took.first));
        let rate = (bytes >> 20) as f64 / whole.as_secs_f64();
        println!("{name:<12} {:>8.2} {rate:>10.0} {:>14.1}", whole.as_secs_f64(), first.as_secs_f64() * 1e3);
    }
    let of = |pick: fn(&Took) -> Duration| (median(&direct, pick).as_secs_f64(), median(&hosted, pick).as_secs_f64());
    let ((straight, through), (first_straight, first_through)) = (of(|took| took.whole), of(|took| took.first));
    println!("\nof ClickHouse's speed  {:>8.2}", straight / through);
    println!("first byte later by    {:>8.1} ms", (first_through - first_straight) * 1e3);
    println!("host grew by           {grown:>8} KiB");
    println!("cancelled after        {:>8.0} ms", leaves(&host).await.as_secs_f64() * 1e3);
}

fn median(took: &[Took], pick: impl Fn(&Took) -> Duration) -> Duration {
    let mut all: Vec<Duration> = took.iter().map(pick).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// How long a query goes on for which nobody waits any more.
async fn leaves(host: &Host) -> Duration {
    let body = serde_json::json!({"sql": "SELECT number AS leaving, repeat('x', 500) AS x FROM numbers(9000000)", "format": "ndjson"});
    let request = host.request(reqwest::Method::POST, "/api/v1/explorer/query").json(&body);
    let mut chunks = request.send().await.expect("an answer").bytes_stream();
    assert!(chunks.next().await.is_some_and(|chunk| chunk.is_ok()));
    let running = async || {
        let sql =
            "SELECT count() FROM system.processes WHERE query LIKE '%AS leaving%' AND query NOT LIKE '%processes%'";
        engine().await.ask(sql).await != "0"
    };
    assert!(running().await, "it runs while somebody reads");
    drop(chunks);
    let left = std::time::Instant::now();
    eventually("it is cancelled", Duration::from_secs(10), async || !running().await).await;
    left.elapsed()
}
