//! Connections: accepted, served, and ended in order.
//!
//! Not poem's own server, which goes on polling a connection that has failed: an answer that breaks off would end as if it were
//! complete, and a request whose client has left would run on.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use poem::endpoint::BoxEndpoint;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a client may take to send the head of a request.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// Pause after the system could not hand over a connection, most often for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Serves connections until `stop`, then lets requests under way take up to `grace`.
pub async fn serve(
    listener: TcpListener,
    router: BoxEndpoint<'static>,
    stop: impl Future<Output = ()>,
    grace: Duration,
) {
    let local = listener.local_addr().ok();
    let router = Arc::new(router);
    let (stopping, leaving) = (CancellationToken::new(), CancellationToken::new());
    let tasks = TaskTracker::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, remote)) => {
                    let one = Connection { router: router.clone(), local: local.unwrap_or(remote), remote };
                    let (stopping, leaving) = (stopping.clone(), leaving.clone());
                    tasks.spawn(async move {
                        tokio::select! {
                            () = one.serve(socket, stopping) => {}
                            () = leaving.cancelled() => {}
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    drop(listener);
    stopping.cancel();
    tasks.close();
    if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
        tracing::info!(connections = tasks.len(), "requests that are still under way are broken off");
        leaving.cancel();
        tasks.wait().await;
    }
}

struct Connection {
    router: Arc<BoxEndpoint<'static>>,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Connection {
    async fn serve(self, socket: TcpStream, stopping: CancellationToken) {
        // Answers are written whole or in large pieces: waiting for more only delays them.
        let _ = socket.set_nodelay(true);
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let router = self.router.clone();
            let (local, remote) = (LocalAddr(Addr::SocketAddr(self.local)), RemoteAddr(Addr::SocketAddr(self.remote)));
            async move {
                let response = router.get_response((request, local, remote, Scheme::HTTP).into()).await;
                Ok::<_, Infallible>(hyper::Response::from(response))
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
        let connection = builder.serve_connection(TokioIo::new(socket), service);
        tokio::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            }
        };
        // Dropped here, and not looked at again: what failed must stay broken off.
        if let Err(error) = outcome {
            tracing::debug!(remote = %self.remote, %error, "a connection ended early");
        }
    }
}
