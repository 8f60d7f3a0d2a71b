//! Listening, and ending in order.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::connections::{self, Serving};
use crate::edge::RateLimits;

/// How long requests under way may take to end after a signal.
const GRACE: Duration = Duration::from_secs(5);
/// How often callers who have not come back are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// What ends the server.
pub struct Stop(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Stop {
    /// SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When the signals cannot be listened to.
    pub fn on_signal() -> anyhow::Result<Self> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self(Box::pin(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })))
    }

    /// When a future ends.
    pub fn when(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }

    /// Also when a token is cancelled; and when it ends for another reason, the token is.
    #[must_use]
    pub fn with(self, token: CancellationToken) -> Self {
        Self::when(async move {
            tokio::select! {
                () = self.0 => token.cancel(),
                () = token.cancelled() => {}
            }
        })
    }
}

/// Serves until `stop`; `ready` learns the URL, with the port that the system chose where it was 0.
///
/// # Errors
/// When the address cannot be listened on, or the router cannot be made.
pub async fn serve(
    app: &Arc<App>,
    listen: SocketAddr,
    stop: Stop,
    exports_spans: bool,
    ready: impl FnOnce(&str),
) -> anyhow::Result<()> {
    let router = crate::api::router(app, exports_spans)?;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; choose another address with --listen ADDR:PORT or CHM_LISTEN")
    })?;
    let tls = app.edge.tls.clone();
    let scheme = if tls.is_some() { "https" } else { "http" };
    ready(&format!("{scheme}://{}", listener.local_addr()?));
    let renewal = tls.clone().map(|tls| tokio::spawn(tls.watch()));
    let forgetting = tokio::spawn(forget(app.edge.rates.clone()));
    let serving = Serving { router, tls, limits: app.edge.connections, grace: GRACE };
    connections::serve(listener, serving, stop.0).await;
    forgetting.abort();
    if let Some(renewal) = renewal {
        renewal.abort();
    }
    app.auth.flush().await;
    let lost = app.outbox.shutdown(Duration::from_secs(2)).await;
    if lost > 0 {
        tracing::warn!(alerts = lost, "alerts that were still waiting are lost: the outbox is in memory");
    }
    tracing::info!("stopped");
    Ok(())
}

async fn forget(rates: Arc<RateLimits>) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        rates.sweep();
    }
}
