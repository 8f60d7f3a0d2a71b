//! Requests per second, and how long one takes, by how its sender is known. Figures and what they mean: `docs/performance.md`.
//!
//! `cargo bench -p chm-host --bench http`
//!
//! The host is the program as it is released, in a process of its own; it watches an address where nothing listens, for the
//! operation that is asked reaches no server. Load comes from one thread of this process over connections that stay open.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code, unused_imports, clippy::unwrap_used)]
#[path = "../../e2e/harness/mod.rs"]
mod harness;
mod load;
mod measured;

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use harness::Host;
use load::Load;
use measured::Measured;

const PATH: &str = "/api/v1/hosts";
const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(3);
/// The cases take turns, so that what else the machine does meets them all.
const ROUNDS: usize = 4;

const KEY_SECRET: &str = "a-secret-that-signs-keys";
const PROXY_SECRET: &str = "between-proxy-and-host";

fn main() {
    // `cargo test --all-targets` starts it too, and wants no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let host = harness::run(
        Host::with_bundled()
            .watches("http://127.0.0.1:9", ("nobody", ""))
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", PROXY_SECRET)
            .env("CHM_API_KEY_SECRET", KEY_SECRET)
            .env("RATE_LIMIT_API_PER_MIN", "10000000")
            // A line for each request would measure the pipe that this process reads.
            .env("CHM_LOG_LEVEL", "warn")
            .start(),
    );
    let address: SocketAddr = host.url().trim_start_matches("http://").parse().expect("an address");
    let load = |status, headers: &str| Load::get(address, PATH, headers, status);
    let cases = [
        ("anonymous, refused", load(401, "")),
        ("API key", load(200, &format!("Authorization: Bearer {}\r\n", key()))),
        (
            "trusted proxy",
            load(
                200,
                &format!("X-Chm-Proxy-Secret: {PROXY_SECRET}\r\nX-Forwarded-User: ann\r\nX-Forwarded-Groups: sre\r\n"),
            ),
        ),
    ];
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
    println!("GET {PATH}, {CONNECTIONS} connections, {ROUNDS} rounds of {} s each\n", MEASURED.as_secs());
    println!("{:<20} {:>10} {:>10} {:>10} {:>16}", "", "requests/s", "p50 ms", "p99 ms", "of anonymous");
    let first = measured.first().map_or(0.0, Measured::per_second);
    for ((name, _), measured) in cases.iter().zip(&measured) {
        let (rate, p50, p99) = (measured.per_second(), measured.percentile_ms(0.5), measured.percentile_ms(0.99));
        println!("{name:<20} {rate:>10.0} {p50:>10.2} {p99:>10.2} {:>16.2}", rate / first);
    }
}

/// A key as any other program could sign it, good for an hour.
fn key() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let payload = serde_json::json!({"sub": "bench", "iat": now, "exp": now + 3600});
    let payload = BASE64_URL_SAFE_NO_PAD.encode(payload.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY_SECRET.as_bytes()).expect("any length");
    mac.update(payload.as_bytes());
    format!("chm_{payload}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
