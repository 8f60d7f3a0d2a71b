//! One runtime for all claims: the engine and the receivers live in it for as long as the process does.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// Runs a claim.
pub fn run<T>(claim: impl Future<Output = T>) -> T {
    RUNTIME.block_on(claim)
}

/// How long a claim waits for what it needs before it can claim anything: other people's servers, and queries of its own. It is many
/// times what these take, so that a busy machine makes claims late. What the host does has limits that say something.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// An HTTP client that follows nothing and keeps nothing.
pub fn client() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        // Another claim's thread may have been first, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client")
    });
    &CLIENT
}

/// Waits for a condition that another process brings about in its own time.
pub async fn eventually(what: &str, limit: Duration, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
