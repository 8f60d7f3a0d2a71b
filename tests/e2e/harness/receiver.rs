//! A loopback HTTP server that keeps what it receives: stands for webhooks, collectors, sign-in services, and for what must
//! never be asked.

use std::sync::{Arc, Mutex, PoisonError};

use poem::http::{HeaderMap, StatusCode};
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{Request, Response, Server};

/// A received request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// With the query string.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    /// A header's value; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What to answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The server; it ends with this value.
pub struct Receiver {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Answers as `reply` says; its second argument counts the requests from 0.
    pub async fn start(reply: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let kept = seen.clone();
        let reply = Arc::new(reply);
        let endpoint = poem::endpoint::make(move |request: Request| {
            let (kept, reply) = (kept.clone(), reply.clone());
            async move { Ok::<_, poem::Error>(answer(request, &kept, &*reply).await) }
        });
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a port");
        let address = acceptor.local_addr().iter().find_map(|address| address.as_socket_addr().copied()).expect("TCP");
        let task = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(endpoint).await;
        });
        Self { url: format!("http://{address}"), seen, task }
    }

    /// Answers 200 to everything.
    pub async fn open() -> Self {
        Self::start(|_, _| Reply::status(200)).await
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything received so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    mut request: Request,
    kept: &Mutex<Vec<Seen>>,
    reply: &(dyn Fn(&Seen, usize) -> Reply + Send + Sync),
) -> Response {
    let path = request.original_uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let (method, headers) = (request.method().to_string(), request.headers().clone());
    let body = request.take_body().into_vec().await.unwrap_or_default();
    let seen = Seen { method, path, headers, body };
    let count = {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(seen.clone());
        kept.len() - 1
    };
    let reply = reply(&seen, count);
    let mut response = Response::builder().status(StatusCode::from_u16(reply.status).expect("a status"));
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    response.body(reply.body)
}
