//! A token issuer over real HTTP, that can fall ill in every way an issuer can.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::SigningKey;

/// Bytes of a key set that is meant to fill a memory.
const HUGE: usize = 100 << 20;
const KEY_SET: &str = "/keys";
/// Where Cloudflare Access and Clerk have theirs.
const CLOUDFLARE_KEY_SET: &str = "/cdn-cgi/access/certs";
const CLERK_KEY_SET: &str = "/.well-known/jwks.json";

/// How the issuer answers who asks for its keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Health {
    /// As it should.
    Well,
    /// With 500.
    Failing,
    /// It closes the connection.
    HangsUp,
    /// Nobody listens any more; it does not come back.
    Gone,
    /// Not at all, until it is better.
    Hanging,
    /// With 100 MB, as it says before.
    Huge,
    /// With 100 MB, without saying so.
    Endless,
    /// With a redirect to another address.
    Redirects,
}

struct State {
    url: String,
    keys: Mutex<String>,
    health: Mutex<Health>,
    better: Notify,
    fetches: Mutex<BTreeMap<String, usize>>,
    sent: AtomicUsize,
}

/// The issuer; it ends with this value.
pub struct Issuer {
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

impl Issuer {
    /// Publishes these keys, and where they are.
    pub async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            url,
            keys: Mutex::default(),
            health: Mutex::new(Health::Well),
            better: Notify::new(),
            fetches: Mutex::default(),
            sent: AtomicUsize::new(0),
        });
        let shared = state.clone();
        let task = tokio::spawn(async move {
            // Connections end with the issuer.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, shared.clone()));
            }
        });
        let issuer = Self { state, task };
        issuer.publish(keys);
        issuer
    }

    /// Its address, which is the `iss` of its tokens.
    pub fn url(&self) -> &str {
        &self.state.url
    }

    /// Where its keys are.
    pub fn keys_url(&self) -> String {
        format!("{}{KEY_SET}", self.url())
    }

    /// Publishes these keys instead.
    pub fn publish(&self, keys: &[&SigningKey]) {
        self.publish_raw(&keys.iter().map(|key| key.public()).collect::<Vec<_>>());
    }

    /// Publishes these entries instead, whatever they are.
    pub fn publish_raw(&self, keys: &[Value]) {
        *lock(&self.state.keys) = json!({ "keys": keys }).to_string();
    }

    /// From now on it is like this.
    pub fn is(&self, health: Health) {
        *lock(&self.state.health) = health;
        self.state.better.notify_waiters();
        if health == Health::Gone {
            self.task.abort();
        }
    }

    /// How often its keys were asked for.
    pub fn fetches(&self) -> usize {
        lock(&self.state.fetches).get(KEY_SET).copied().unwrap_or_default()
    }

    /// Every path that was asked for.
    pub fn paths(&self) -> Vec<String> {
        lock(&self.state.fetches).keys().cloned().collect()
    }

    /// Bytes of bodies that somebody took.
    pub fn sent(&self) -> usize {
        self.state.sent.load(Ordering::Relaxed)
    }

    /// Claims of somebody, for `audience`, good for ten minutes.
    pub fn claims(&self, audience: &str, subject: &str) -> Value {
        json!({"iss": self.url(), "aud": audience, "sub": subject, "iat": now(), "exp": now() + 600})
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Seconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request, one answer.
async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    *lock(&state.fetches).entry(path.clone()).or_default() += 1;
    loop {
        let better = state.better.notified();
        if *lock(&state.health) != Health::Hanging {
            break;
        }
        better.await;
    }
    let health = *lock(&state.health);
    let _ = answer(&mut stream, &state, &path, health).await;
    let _ = stream.shutdown().await;
}

async fn answer(stream: &mut TcpStream, state: &State, path: &str, health: Health) -> std::io::Result<()> {
    let plain = |status: &str, headers: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
    };
    let text = match (health, path) {
        (Health::HangsUp | Health::Gone, _) => return Ok(()),
        (Health::Failing, _) => plain("500 Internal Server Error", "", ""),
        (Health::Redirects, KEY_SET) => plain("302 Found", &format!("location: {}/elsewhere\r\n", state.url), ""),
        (Health::Huge | Health::Endless, KEY_SET) => return flood(stream, state, health).await,
        (_, KEY_SET | CLOUDFLARE_KEY_SET | CLERK_KEY_SET | "/elsewhere") => {
            plain("200 OK", "content-type: application/json\r\n", &lock(&state.keys).clone())
        }
        (_, "/.well-known/openid-configuration") => {
            let document = json!({"issuer": state.url, "jwks_uri": format!("{}{KEY_SET}", state.url)});
            plain("200 OK", "content-type: application/json\r\n", &document.to_string())
        }
        _ => plain("404 Not Found", "", ""),
    };
    stream.write_all(text.as_bytes()).await
}

/// A key set that begins well and does not end for 100 MB.
async fn flood(stream: &mut TcpStream, state: &State, health: Health) -> std::io::Result<()> {
    let length = match health {
        Health::Huge => format!("content-length: {HUGE}\r\n"),
        _ => String::new(),
    };
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n{length}\r\n");
    stream.write_all(head.as_bytes()).await?;
    let piece = vec![b' '; 64 << 10];
    let mut left = HUGE;
    while left > 0 {
        let part = left.min(piece.len());
        stream.write_all(&piece[..part]).await?;
        state.sent.fetch_add(part, Ordering::Relaxed);
        left -= part;
    }
    Ok(())
}
