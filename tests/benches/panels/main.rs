//! A small panel under load, and its statement straight on the same ClickHouse. Figures and what they mean: `docs/performance.md`.
//!
//! `cargo bench -p chm-host --bench panels`
//!
//! The host is the program as it is released, in a process of its own: once making every answer, and once as it comes, with identical
//! reads at the same time run once and answers kept for seconds. Load comes from one thread of this process over connections that stay
//! open, to all sides in turns.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code, unused_imports, clippy::unwrap_used)]
#[path = "../../e2e/harness/mod.rs"]
mod harness;
#[path = "../http/load.rs"]
mod load;
#[path = "../http/measured.rs"]
mod measured;

use std::net::SocketAddr;
use std::time::Duration;

use harness::{Host, HostBuilder, engine, run};
use load::Load;
use measured::Measured;

const PATH: &str = "/api/v1/tables/mergetree-settings?limit=20";
const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(2);
/// Short, so that a machine which is slower for a while is so for all sides.
const MEASURED: Duration = Duration::from_secs(1);
const ROUNDS: usize = 20;

fn main() {
    // `cargo test --all-targets` starts it too, and wants no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (hosts, cases) = run(async {
        let each = switched("false", "false").start().await;
        let joined = switched("true", "false").start().await;
        let kept = switched("true", "true").start().await;
        let cases = [
            ("ClickHouse", straight(&each).await),
            ("host, each made", Load::get(address(each.url()), PATH, "", 200)),
            ("host, joined", Load::get(address(joined.url()), PATH, "", 200)),
            ("host, joined and kept", Load::get(address(kept.url()), PATH, "", 200)),
        ];
        ([each, joined, kept], cases)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut measured = cases.each_ref().map(|_| Measured::default());
    for (_, load) in &cases {
        runtime.block_on(load.run(CONNECTIONS, WARM_UP));
    }
    for _ in 0..ROUNDS {
        for ((_, load), measured) in cases.iter().zip(&mut measured) {
            measured.add(runtime.block_on(load.run(CONNECTIONS, MEASURED)), MEASURED);
        }
    }
    drop(hosts);
    println!("GET {PATH}, {CONNECTIONS} connections, {ROUNDS} rounds of {} s each\n", MEASURED.as_secs());
    println!("{:<24} {:>10} {:>10} {:>10} {:>16}", "", "answers/s", "p50 ms", "p99 ms", "of ClickHouse");
    let first = measured.first().map_or(0.0, Measured::per_second);
    for ((name, _), measured) in cases.iter().zip(&measured) {
        let (rate, p50, p99) = (measured.per_second(), measured.percentile_ms(0.5), measured.percentile_ms(0.99));
        println!("{name:<24} {rate:>10.0} {p50:>10.2} {p99:>10.2} {:>16.2}", rate / first);
    }
}

/// A host that may ask as much at once as there are connections.
fn switched(coalesce: &str, cache: &str) -> HostBuilder {
    Host::with_bundled()
        .env("CHM_ANSWERS_COALESCE", coalesce)
        .env("CHM_ANSWERS_CACHE", cache)
        .env("CLICKHOUSE_POOL_SIZE", &CONNECTIONS.to_string())
        // All connections are one caller's.
        .env("CHM_CALLER_SHARE_PERCENT", "100")
        .env("RATE_LIMIT_API_PER_MIN", "10000000")
        // A line for each request would measure the pipe that this process reads.
        .env("CHM_LOG_LEVEL", "warn")
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}

/// The statement that the host sends for the panel, as ClickHouse logged it.
async fn straight(host: &Host) -> Load {
    let answer = host.get(PATH).await.expect(200).json();
    let id = answer["metadata"]["queryId"].as_str().expect("a query id");
    engine().await.ask("SYSTEM FLUSH LOGS").await;
    let sql =
        format!("SELECT query FROM system.query_log WHERE query_id = '{id}' AND type = 'QueryFinish' FORMAT TSVRaw");
    let statement = engine().await.ask(&sql).await;
    let (address, (user, password)) = (address(&engine().await.url()), engine().await.administrator());
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nX-ClickHouse-User: {user}\r\nX-ClickHouse-Key: {password}\r\nContent-Length: {}\r\n\r\n{statement}",
        statement.len()
    );
    Load { address, request, status: 200 }
}
