//! An issuer's public keys: fetched, cached, refreshed.
//!
//! One fetch at a time, in a task of its own: a caller that gives up does not stop it, and the next caller finds its result. Keys
//! are fetched anew while the old ones still serve, so nobody waits for an issuer that is slow, and nobody notices one that is
//! away for an hour. A token with an unknown key id makes the host ask at once, and then not again for a while: invented ids
//! neither flood the issuer nor fill the plugin's places with callers that wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::body::{BodyError, read_capped};
use super::keys_read::{Key, parse_keys};

/// Longest key set or discovery document, in bytes.
const MAX_DOCUMENT: usize = 1024 * 1024;
/// Callers that wait for the first keys at once; a plugin has room for 32 calls.
const WAIT_FOR_FIRST: usize = 24;
/// Callers that wait for a key that may be new at once. Few: others, whose keys are known, need the plugin meanwhile.
const WAIT_FOR_NEW: usize = 8;

/// When keys are fetched, and how long they serve.
#[derive(Debug, Clone, Copy)]
pub struct KeyTimes {
    /// Older keys are used, and refreshed meanwhile.
    pub fresh: Duration,
    /// Older keys are not used.
    pub stale: Duration,
    /// Least pause between two fetches that unknown key ids ask for.
    pub refetch: Duration,
    /// Least pause after a fetch that failed.
    pub retry: Duration,
    /// For one fetch, discovery included.
    pub timeout: Duration,
    /// How long a caller waits for a fetch; less than a plugin's call may take.
    pub wait: Duration,
}

impl Default for KeyTimes {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(300),
            stale: Duration::from_secs(3600),
            refetch: Duration::from_secs(30),
            retry: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            wait: Duration::from_millis(200),
        }
    }
}

/// Where the keys are.
#[derive(Debug, Clone)]
pub(super) enum KeySource {
    /// The key set itself.
    Jwks(String),
    /// `<issuer>/.well-known/openid-configuration` names the key set.
    Discovery { issuer: String },
}

/// Why there is no key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has none of that id for that algorithm.
    Unknown,
    /// The issuer's keys cannot be had.
    Unavailable(String),
}

pub(super) enum Keys {
    /// The operator gave the key; nothing is fetched.
    Fixed(Arc<Key>),
    /// The issuer publishes them.
    Published(Published),
}

impl Keys {
    /// Keys that may verify `algorithm`: the one with the id `kid`, or all where the token names none.
    pub(super) async fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Vec<Arc<Key>>, NoKey> {
        match self {
            // A key in PEM has no id: whatever the token calls it, it is this one or none.
            Self::Fixed(key) if key.algorithms.contains(&algorithm) => Ok(vec![key.clone()]),
            Self::Fixed(_) => Err(NoKey::Unknown),
            Self::Published(keys) => keys.candidates(kid, algorithm).await,
        }
    }

    /// Fetches now and from time to time, so that no sign-in need wait.
    pub(super) fn warm(&self) {
        match self {
            Self::Fixed(_) => {}
            Self::Published(keys) => keys.warm(),
        }
    }
}

/// The keys that an issuer publishes.
pub(super) struct Published {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    source: KeySource,
    allowed: Vec<Algorithm>,
    client: reqwest::Client,
    times: KeyTimes,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<(Instant, Vec<Arc<Key>>)>,
    /// When the last fetch ended, and why it failed.
    attempt: Option<(Instant, Option<String>)>,
    /// When an unknown key id last began a fetch.
    asked: Option<Instant>,
    /// Closed when the fetch under way ends.
    flight: Option<watch::Receiver<()>>,
    /// Callers that wait for it.
    waiting: usize,
}

/// Why keys are fetched.
#[derive(Clone, Copy, PartialEq)]
enum Reason {
    /// There are none, or they are no longer fresh.
    Age,
    /// A token names one that is not among them.
    UnknownKey,
}

impl Published {
    pub(super) fn new(
        name: String,
        source: KeySource,
        allowed: Vec<Algorithm>,
        client: reqwest::Client,
        times: KeyTimes,
    ) -> Self {
        Self { shared: Arc::new(Shared { name, source, allowed, client, times, state: Mutex::default() }) }
    }

    async fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Vec<Arc<Key>>, NoKey> {
        let flight = {
            let mut state = self.shared.lock();
            let (age, found) = state.lookup(kid, algorithm, self.shared.times.stale);
            if !found.is_empty() {
                if age >= self.shared.times.fresh {
                    self.fetch(&mut state, Reason::Age);
                }
                return Ok(found);
            }
            let has_some = age < self.shared.times.stale;
            let flight = self.fetch(&mut state, if has_some { Reason::UnknownKey } else { Reason::Age });
            let room = if has_some { WAIT_FOR_NEW } else { WAIT_FOR_FIRST };
            if flight.is_some() && state.waiting >= room {
                return Err(NoKey::Unavailable("too many callers wait for its keys already".to_owned()));
            }
            flight
        };
        if let Some(flight) = flight {
            self.landing(flight).await?;
        }
        let state = self.shared.lock();
        let (_, found) = state.lookup(kid, algorithm, self.shared.times.stale);
        if !found.is_empty() {
            return Ok(found);
        }
        match &state.attempt {
            Some((_, None)) => Err(NoKey::Unknown),
            Some((_, Some(reason))) => Err(NoKey::Unavailable(reason.clone())),
            None => Err(NoKey::Unavailable("its keys were not fetched".to_owned())),
        }
    }

    /// Waits until a fetch ends, but not long.
    async fn landing(&self, mut flight: watch::Receiver<()>) -> Result<(), NoKey> {
        let _place = Waiting::new(&self.shared);
        // An error says that the sender is gone, which is what we wait for.
        let landed = async { while flight.changed().await.is_ok() {} };
        let late = |_| NoKey::Unavailable("its keys have not arrived yet".to_owned());
        tokio::time::timeout(self.shared.times.wait, landed).await.map_err(late)
    }

    /// Fetches now, and again whenever the keys are no longer fresh, for as long as somebody may ask for them.
    fn warm(&self) {
        self.fetch(&mut self.shared.lock(), Reason::Age);
        let (weak, pause) = (Arc::downgrade(&self.shared), self.shared.times.fresh.max(self.shared.times.retry));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(shared) = weak.upgrade() else { break };
                let keys = Self { shared };
                keys.fetch(&mut keys.shared.lock(), Reason::Age);
            }
        });
    }

    /// Joins the fetch under way or begins one; `None` while it is too early for the next.
    fn fetch(&self, state: &mut State, reason: Reason) -> Option<watch::Receiver<()>> {
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return Some(flight.clone());
        }
        let times = &self.shared.times;
        let failed = state.attempt.as_ref().filter(|(_, failure)| failure.is_some());
        if failed.is_some_and(|(ended, _)| ended.elapsed() < times.retry) {
            return None;
        }
        if reason == Reason::UnknownKey {
            if state.asked.is_some_and(|when| when.elapsed() < times.refetch) {
                return None;
            }
            state.asked = Some(Instant::now());
        }
        let (landed, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let outcome = match tokio::time::timeout(shared.times.timeout, shared.fetch()).await {
                Ok(outcome) => outcome,
                Err(_) => Err("its keys do not arrive in time".to_owned()),
            };
            shared.landed(outcome);
            drop(landed);
        });
        Some(flight)
    }
}

/// One caller that waits; counted for as long as it lives, for callers may leave at any time.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.lock().waiting += 1;
        Self(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

impl State {
    /// Usable keys, with their age.
    fn lookup(&self, kid: Option<&str>, algorithm: Algorithm, stale: Duration) -> (Duration, Vec<Arc<Key>>) {
        let Some((fetched, keys)) = &self.keys else { return (Duration::MAX, vec![]) };
        let age = fetched.elapsed();
        if age >= stale {
            return (age, vec![]);
        }
        let fits = |key: &&Arc<Key>| {
            key.algorithms.contains(&algorithm) && kid.is_none_or(|kid| key.kid.as_deref() == Some(kid))
        };
        (age, keys.iter().filter(fits).cloned().collect())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn landed(&self, outcome: Result<Vec<Arc<Key>>, String>) {
        let mut state = self.lock();
        state.flight = None;
        let now = Instant::now();
        match outcome {
            Ok(keys) => {
                tracing::debug!(issuer = self.name, keys = keys.len(), "fetched the issuer's keys");
                state.keys = Some((now, keys));
                state.attempt = Some((now, None));
            }
            Err(reason) => {
                // Said once, not at every retry.
                if state.attempt.as_ref().is_none_or(|(_, before)| before.as_ref() != Some(&reason)) {
                    tracing::warn!(issuer = self.name, reason, "the issuer's keys cannot be fetched");
                }
                state.attempt = Some((now, Some(reason)));
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Arc<Key>>, String> {
        let url = match &self.source {
            KeySource::Jwks(url) => url.clone(),
            KeySource::Discovery { issuer } => self.discover(issuer).await?,
        };
        let document = self.get(&url, "its key set").await?;
        parse_keys(&document, &self.allowed)
    }

    /// OpenID Connect Discovery 1.0, sections 4.1 to 4.3.
    async fn discover(&self, issuer: &str) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Configuration {
            issuer: String,
            jwks_uri: String,
        }
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = self.get(&url, "its discovery document").await?;
        let configuration: Configuration = serde_json::from_slice(&document)
            .map_err(|_| "its discovery document has no `issuer` and `jwks_uri`".to_owned())?;
        if configuration.issuer != issuer {
            return Err("its discovery document is another issuer's".to_owned());
        }
        let secure = |url: &str| url.starts_with("https://");
        let plain = |url: &str| url.starts_with("http://");
        if secure(&configuration.jwks_uri) || (plain(&configuration.jwks_uri) && !secure(issuer)) {
            Ok(configuration.jwks_uri)
        } else {
            Err("its discovery document names keys at no https:// address".to_owned())
        }
    }

    async fn get(&self, url: &str, what: &str) -> Result<bytes::Bytes, String> {
        let unreachable = |error: reqwest::Error| {
            tracing::debug!(issuer = self.name, cause = %error.without_url(), "no answer from the issuer");
            format!("{what} cannot be fetched")
        };
        let response = self.client.get(url).header("accept", "application/json").send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(format!("{what} is answered with {}", response.status().as_u16()));
        }
        match read_capped(response, MAX_DOCUMENT).await {
            Ok(document) => Ok(document),
            Err(BodyError::TooLarge) => Err(format!("{what} is longer than {MAX_DOCUMENT} bytes")),
            Err(BodyError::Broken(error)) => Err(unreachable(error)),
        }
    }
}
