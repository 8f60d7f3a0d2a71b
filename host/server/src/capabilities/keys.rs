//! An issuer's public keys: fetched, cached, refreshed.
//!
//! One fetch at a time, in a task of its own: a caller that gives up (a plugin's call has a quarter of a second) does not stop it,
//! and the next caller finds its result. Between fetches lies a pause, so that tokens with invented key ids cannot make the host
//! ask the issuer again and again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::body::{BodyError, read_capped};

/// Longest key set or discovery document, in bytes.
const MAX_DOCUMENT: usize = 1024 * 1024;
/// Keys of one issuer that are looked at.
const MAX_KEYS: usize = 64;
/// Bits of an RSA modulus: less is weak, more is a way to keep the processor busy.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// When keys are fetched, and how long they serve.
#[derive(Debug, Clone, Copy)]
pub struct KeyTimes {
    /// Older keys are used, and refreshed meanwhile.
    pub fresh: Duration,
    /// Older keys are not used.
    pub stale: Duration,
    /// Least pause before an unknown key id makes the host ask again.
    pub refetch: Duration,
    /// Least pause after a fetch that failed.
    pub retry: Duration,
    /// For one fetch, discovery included.
    pub timeout: Duration,
}

impl Default for KeyTimes {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(300),
            stale: Duration::from_secs(3600),
            refetch: Duration::from_secs(30),
            retry: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
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

/// A public key and the algorithms it may verify.
pub(super) struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

/// Why there is no key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has none of that id for that algorithm.
    Unknown,
    /// The issuer's keys cannot be had.
    Unavailable(String),
}

pub(super) struct Keys {
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
    /// Closed when the fetch under way ends.
    flight: Option<watch::Receiver<()>>,
}

impl Keys {
    pub(super) fn new(
        name: String,
        source: KeySource,
        allowed: Vec<Algorithm>,
        client: reqwest::Client,
        times: KeyTimes,
    ) -> Self {
        Self { shared: Arc::new(Shared { name, source, allowed, client, times, state: Mutex::default() }) }
    }

    /// Keys that may verify `algorithm`: the one with the id `kid`, or all where the token names none.
    pub(super) async fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Vec<Arc<Key>>, NoKey> {
        let flight = {
            let mut state = self.shared.lock();
            let (age, found) = state.lookup(kid, algorithm, self.shared.times.stale);
            if !found.is_empty() {
                if age >= self.shared.times.fresh {
                    self.fetch(&mut state);
                }
                return Ok(found);
            }
            self.fetch(&mut state)
        };
        if let Some(mut flight) = flight {
            // An error says that the sender is gone, which is what we wait for.
            while flight.changed().await.is_ok() {}
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

    /// Fetches now, unless it is too early; for the start of the process, so that the first sign-in need not wait.
    pub(super) fn warm(&self) {
        self.fetch(&mut self.shared.lock());
    }

    /// Joins the fetch under way or begins one; `None` while it is too early for the next.
    fn fetch(&self, state: &mut State) -> Option<watch::Receiver<()>> {
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return Some(flight.clone());
        }
        let times = &self.shared.times;
        let early = state.attempt.as_ref().is_some_and(|(ended, failure)| {
            ended.elapsed() < if failure.is_some() { times.retry } else { times.refetch }
        });
        if early {
            return None;
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
                tracing::warn!(issuer = self.name, reason, "the issuer's keys cannot be fetched");
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

/// Keys of a JWK set (RFC 7517) that may verify one of `allowed`. Others are passed over: an issuer may publish what we do not know.
fn parse_keys(document: &[u8], allowed: &[Algorithm]) -> Result<Vec<Arc<Key>>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set =
        serde_json::from_slice(document).map_err(|_| "its key set is not a JSON object with `keys`".to_owned())?;
    let keys = set.keys.into_iter().take(MAX_KEYS).filter_map(|value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let algorithms = algorithms_of(&jwk, allowed);
        if algorithms.is_empty() {
            return None;
        }
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Arc::new(Key { kid: jwk.common.key_id, algorithms, decoding }))
    });
    Ok(keys.collect())
}

fn algorithms_of(jwk: &Jwk, allowed: &[Algorithm]) -> Vec<Algorithm> {
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let verifies =
        jwk.common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !signs || !verifies {
        return vec![];
    }
    let fits = |algorithm: Algorithm| match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => algorithm.family() == AlgorithmFamily::Rsa && RSA_BITS.contains(&bits(&rsa.n)),
        AlgorithmParameters::EllipticCurve(ec) => match ec.curve {
            EllipticCurve::P256 => algorithm == Algorithm::ES256,
            EllipticCurve::P384 => algorithm == Algorithm::ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(pair) => {
            pair.curve == EllipticCurve::Ed25519 && algorithm == Algorithm::EdDSA
        }
        // A shared secret, published: whoever reads it could sign.
        _ => false,
    };
    let declared = jwk.common.key_algorithm;
    allowed
        .iter()
        .copied()
        .filter(|&algorithm| fits(algorithm))
        .filter(|&algorithm| declared.is_none_or(|declared| declared == algorithm.into()))
        .collect()
}

/// Of a base64url number; 0 if it is none.
fn bits(number: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(number).unwrap_or_default();
    bytes.iter().skip_while(|&&byte| byte == 0).count() * 8
}
