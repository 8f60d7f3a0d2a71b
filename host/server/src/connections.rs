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
use poem::http::Version;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::edge::{Answering, ConnectionLimits, Quiet, Socket, Tls, Unfinished};

/// Pause after the system could not hand over a connection, most often for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);
/// How long a connection that is let go may take to say so to its client.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a connection may be quiet while others wait for a place.
const QUIET_IN_A_CROWD: Duration = Duration::from_secs(1);
/// How often one of them is let go then.
const MAKE_ROOM_EVERY: Duration = Duration::from_millis(2);
/// Most headers of a request.
const MOST_HEADERS: usize = 100;
/// Most requests at once on one HTTP/2 connection.
const MOST_STREAMS: u32 = 100;

/// How to serve.
pub struct Serving {
    /// Every request.
    pub router: BoxEndpoint<'static>,
    /// Present where TLS is spoken; then nothing else is.
    pub tls: Option<Arc<Tls>>,
    /// What a connection may do.
    pub limits: ConnectionLimits,
    /// How long requests under way may take to end.
    pub grace: Duration,
}

/// Serves connections until `stop`, then lets requests under way take up to the grace.
pub async fn serve(listener: TcpListener, serving: Serving, stop: impl Future<Output = ()>) {
    let local = listener.local_addr().ok();
    let grace = serving.grace;
    let places = Arc::new(Semaphore::new(serving.limits.most.min(Semaphore::MAX_PERMITS)));
    let (serving, crowd) = (Arc::new(serving), Arc::<Notify>::default());
    let (stopping, leaving) = (CancellationToken::new(), CancellationToken::new());
    let tasks = TaskTracker::new();
    tokio::pin!(stop);
    loop {
        // Whoever finds no place waits in the system's queue.
        let next = async { (place(&places, &crowd).await, listener.accept().await) };
        tokio::select! {
            () = &mut stop => break,
            (place, accepted) = next => match accepted {
                Ok((socket, remote)) => {
                    let (serving, crowd) = (serving.clone(), crowd.clone());
                    let (quiet, unfinished) = (Quiet::default(), Unfinished::default());
                    let one = Connection { serving, crowd, quiet, unfinished, local: local.unwrap_or(remote), remote };
                    let (stopping, leaving) = (stopping.clone(), leaving.clone());
                    tasks.spawn(async move {
                        tokio::select! {
                            () = one.accept(socket, stopping) => {}
                            () = leaving.cancelled() => {}
                        }
                        drop(place);
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

/// A place for a connection. When there is none, the quiet ones are let go, one by one: holding connections costs nothing, and
/// must not shut out those who ask.
async fn place(places: &Arc<Semaphore>, crowd: &Notify) -> Result<OwnedSemaphorePermit, AcquireError> {
    loop {
        match tokio::time::timeout(MAKE_ROOM_EVERY, places.clone().acquire_owned()).await {
            Ok(place) => return place,
            Err(_) => crowd.notify_one(),
        }
    }
}

struct Connection {
    serving: Arc<Serving>,
    /// Tells one connection that others wait.
    crowd: Arc<Notify>,
    quiet: Quiet,
    unfinished: Unfinished,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Connection {
    async fn accept(self, socket: TcpStream, stopping: CancellationToken) {
        // Answers are written whole or in large pieces: waiting for more only delays them.
        let _ = socket.set_nodelay(true);
        let socket = Socket::new(socket, self.unfinished.clone());
        let Some(tls) = &self.serving.tls else { return self.serve(socket, Scheme::HTTP, stopping).await };
        let handshake = tokio::time::timeout(self.serving.limits.quiet, tls.acceptor().accept(socket));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            () = self.in_the_way() => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.serve(stream, Scheme::HTTPS, stopping).await,
            Ok(Err(error)) => tracing::debug!(remote = %self.remote, %error, "no TLS connection"),
            Err(_) => tracing::debug!(remote = %self.remote, "the TLS handshake took too long"),
        }
    }

    /// Ends when others wait and nothing has been asked here for a while.
    async fn in_the_way(&self) {
        loop {
            self.crowd.notified().await;
            if self.quiet.so_far().is_some_and(|quiet| quiet >= QUIET_IN_A_CROWD) {
                return;
            }
        }
    }

    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        scheme: Scheme,
        stopping: CancellationToken,
    ) {
        let quiet = &self.quiet;
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let (serving, scheme, under_way) = (self.serving.clone(), scheme.clone(), quiet.request());
            let (local, remote) = (LocalAddr(Addr::SocketAddr(self.local)), RemoteAddr(Addr::SocketAddr(self.remote)));
            let unfinished = (request.version() == Version::HTTP_10).then(|| self.unfinished.clone());
            async move {
                let response = serving.router.get_response((request, local, remote, scheme).into()).await;
                Ok::<_, Infallible>(
                    hyper::Response::from(response).map(|body| Answering::new(body, under_way, unfinished)),
                )
            }
        });
        let limits = self.serving.limits;
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.quiet)
            .max_buf_size(usize::try_from(limits.head_bytes).unwrap_or(usize::MAX))
            .max_headers(MOST_HEADERS);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(limits.head_bytes)
            .max_concurrent_streams(MOST_STREAMS);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            }
            () = async { tokio::select! { () = quiet.lasted(limits.quiet) => {}, () = self.in_the_way() => {} } } => {
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(FAREWELL, connection.as_mut()).await.unwrap_or(Ok(()))
            }
        };
        // Dropped here, and not looked at again: what failed must stay broken off.
        if let Err(error) = outcome {
            tracing::debug!(remote = %self.remote, %error, "a connection ended early");
        }
    }
}

#[cfg(test)]
mod tests {
    use poem::{EndpointExt, Route, get, handler};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[handler]
    fn answer() -> &'static str {
        "here"
    }

    #[tokio::test]
    async fn whoever_holds_all_connections_and_asks_nothing_shuts_nobody_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Route::new().at("/", get(answer)).map_to_response().boxed();
        let limits = ConnectionLimits { most: 4, head_bytes: 65_536, quiet: Duration::from_secs(3600) };
        let serving = Serving { router, tls: None, limits, grace: Duration::ZERO };
        let server = tokio::spawn(serve(listener, serving, std::future::pending()));
        let mut idle = Vec::new();
        for _ in 0..12 {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut said = String::new();
        let heard = tokio::time::timeout(Duration::from_secs(60), client.read_to_string(&mut said)).await;
        heard.unwrap().unwrap();
        assert!(said.ends_with("here"), "{said}");
        server.abort();
    }
}
