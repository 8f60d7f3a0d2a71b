//! Real keys, real tokens, real HTTP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::capabilities::loopback::{Answer, Loopback};

pub(super) const RSA: &[u8] = include_bytes!("../../tests/data/issuer-rsa.pem");
pub(super) const STRANGER: &[u8] = include_bytes!("../../tests/data/stranger-rsa.pem");
pub(super) const WEAK: &[u8] = include_bytes!("../../tests/data/weak-rsa.pem");
pub(super) const EC: &[u8] = include_bytes!("../../tests/data/issuer-ec.pem");
pub(super) const ED25519: &[u8] = include_bytes!("../../tests/data/issuer-ed25519.pem");
pub(super) const ISSUER: &str = "https://issuer.example";

pub(super) fn signing_key(pem: &[u8], algorithm: Algorithm) -> EncodingKey {
    match algorithm.family() {
        AlgorithmFamily::Ec => EncodingKey::from_ec_pem(pem),
        AlgorithmFamily::Ed => EncodingKey::from_ed_pem(pem),
        _ => EncodingKey::from_rsa_pem(pem),
    }
    .unwrap()
}

pub(super) fn public(pem: &[u8], algorithm: Algorithm, kid: &str) -> Value {
    let mut jwk = Jwk::from_encoding_key(&signing_key(pem, algorithm), algorithm).unwrap();
    jwk.common.key_id = Some(kid.to_owned());
    serde_json::to_value(jwk).unwrap()
}

/// The three good keys, one that is too weak, and entries no one can use.
pub(super) fn key_set() -> String {
    let mut encryption = public(RSA, Algorithm::RS256, "enc");
    encryption["use"] = json!("enc");
    json!({"keys": [
        public(RSA, Algorithm::RS256, "rsa"),
        public(EC, Algorithm::ES256, "ec"),
        public(ED25519, Algorithm::EdDSA, "ed"),
        public(WEAK, Algorithm::RS256, "weak"),
        encryption,
        {"kty": "oct", "kid": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": "XYZ", "kid": "future"},
        "no key at all",
    ]})
    .to_string()
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(super) fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "chm", "exp": now() + 600, "sub": "ada", "groups": ["sre"]})
}

pub(super) fn token_with(pem: &[u8], algorithm: Algorithm, kid: Option<&str>, claims: &Value) -> String {
    let mut header = Header::new(algorithm);
    header.kid = kid.map(str::to_owned);
    encode(&header, claims, &signing_key(pem, algorithm)).unwrap()
}

pub(super) fn token(claims: &Value) -> String {
    token_with(RSA, Algorithm::RS256, Some("rsa"), claims)
}

pub(super) fn issuer(jwks_url: String) -> Issuer {
    Issuer {
        name: "login".into(),
        issuer: ISSUER.into(),
        jwks_url: Some(jwks_url),
        public_key: None,
        audiences: vec!["other".into(), "chm".into()],
        algorithms: vec![],
    }
}

/// No fetch is ever too early, and none takes long.
const EAGER: KeyTimes = KeyTimes {
    fresh: Duration::from_secs(300),
    stale: Duration::from_secs(3600),
    refetch: Duration::ZERO,
    retry: Duration::ZERO,
    timeout: Duration::from_secs(20),
    wait: Duration::from_secs(20),
};

/// The usual times, for a machine that may be busy.
pub(super) fn patient() -> KeyTimes {
    KeyTimes { wait: Duration::from_secs(20), timeout: Duration::from_secs(20), ..KeyTimes::default() }
}

pub(super) fn issuers(url: String, times: KeyTimes) -> Issuers {
    Issuers::with_times(vec![issuer(url)], times).unwrap()
}

pub(super) fn is_invalid(outcome: &Result<String, JwtError>, word: &str) -> bool {
    matches!(outcome, Err(JwtError::Invalid(text)) if text.contains(word))
}

#[tokio::test]
async fn a_good_token_of_each_kind_yields_its_claims() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let issuers = issuers(server.url(), patient());
    for (pem, algorithm, kid) in [
        (RSA, Algorithm::RS256, Some("rsa")),
        (EC, Algorithm::ES256, Some("ec")),
        (ED25519, Algorithm::EdDSA, Some("ed")),
        (EC, Algorithm::ES256, None),
        (RSA, Algorithm::RS256, None),
    ] {
        let text = issuers.verify("login", &token_with(pem, algorithm, kid, &claims())).await.unwrap();
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["sub"], "ada", "{algorithm:?}");
        assert_eq!(found["groups"], json!(["sre"]));
    }
    assert_eq!(server.requests().len(), 1, "the keys are fetched once");
}

#[tokio::test]
async fn claims_are_checked() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let issuers = issuers(server.url(), patient());
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    for good in [
        with("exp", json!(now() - 30)),
        with("nbf", json!(now() + 30)),
        with("aud", json!(["x", "other"])),
        with("nbf", json!(now() - 100)),
    ] {
        issuers.verify("login", &token(&good)).await.unwrap();
    }
    for (bad, word) in [
        (with("exp", json!(now() - 120)), "expired"),
        (with("exp", json!("soon")), "`exp`"),
        (without("exp"), "`exp`"),
        (with("nbf", json!(now() + 120)), "not valid yet"),
        (with("nbf", json!("now")), "`nbf`"),
        (with("iss", json!([ISSUER])), "`iss`"),
        (without("iss"), "`iss`"),
        (with("aud", json!("else")), "`aud`"),
        (with("aud", json!([])), "`aud`"),
        (without("aud"), "`aud`"),
    ] {
        let outcome = issuers.verify("login", &token(&bad)).await;
        assert!(is_invalid(&outcome, word), "{bad}: {outcome:?}");
    }
}

#[tokio::test]
async fn signatures_are_checked() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let issuers = issuers(server.url(), patient());
    let claims = claims();
    let good = token(&claims);
    let hmac = |secret: &[u8], kid: &str| {
        let header = Header { kid: Some(kid.into()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let critical = {
        let header =
            Header { kid: Some("rsa".into()), crit: Some(vec!["exp".into()]), ..Header::new(Algorithm::RS256) };
        encode(&header, &claims, &signing_key(RSA, Algorithm::RS256)).unwrap()
    };
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    for (what, bad) in [
        ("stranger's key", token_with(STRANGER, Algorithm::RS256, Some("rsa"), &claims)),
        ("stranger's key, no kid", token_with(STRANGER, Algorithm::RS256, None, &claims)),
        ("algorithm not allowed", token_with(RSA, Algorithm::RS512, Some("rsa"), &claims)),
        ("key of another kind", token_with(EC, Algorithm::ES256, Some("rsa"), &claims)),
        ("weak key", token_with(WEAK, Algorithm::RS256, Some("weak"), &claims)),
        ("encryption key", token_with(RSA, Algorithm::RS256, Some("enc"), &claims)),
        ("public key as shared secret", hmac(RSA, "rsa")),
        ("published shared secret", hmac(b"secret", "oct")),
        ("none", unsigned),
        ("critical extension", critical),
        ("no signature", good.rsplit_once('.').unwrap().0.to_owned() + "."),
        ("too long", "a".repeat(MAX_TOKEN + 1)),
    ] {
        let outcome = issuers.verify("login", &bad).await;
        assert!(matches!(outcome, Err(JwtError::Invalid(_))), "{what}: {outcome:?}");
    }
    assert!(matches!(issuers.verify("other", &good).await, Err(JwtError::Unset)));
}

#[tokio::test]
async fn invented_key_ids_do_not_make_the_host_ask_again() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let issuers = issuers(server.url(), patient());
    for number in 0..20 {
        let invented = token_with(STRANGER, Algorithm::RS256, Some(&format!("kid-{number}")), &claims());
        assert!(is_invalid(&issuers.verify("login", &invented).await, "no key"));
    }
    assert_eq!(server.requests().len(), 2, "the first fetch, and one for the first invented id");
}

#[tokio::test]
async fn a_new_key_is_found_when_a_token_names_it() {
    let keys = Arc::new(Mutex::new(json!({"keys": [public(EC, Algorithm::ES256, "old")]}).to_string()));
    let served = keys.clone();
    let server = Loopback::start(move |_| Answer::status(200).body(&served.lock().unwrap())).await;
    let issuers = issuers(server.url(), EAGER);
    let new = token_with(RSA, Algorithm::RS256, Some("new"), &claims());
    assert!(is_invalid(&issuers.verify("login", &new).await, "no key"));
    *keys.lock().unwrap() = json!({"keys": [public(RSA, Algorithm::RS256, "new")]}).to_string();
    issuers.verify("login", &new).await.unwrap();
    let old = token_with(EC, Algorithm::ES256, Some("old"), &claims());
    assert!(is_invalid(&issuers.verify("login", &old).await, "no key"), "a withdrawn key no longer counts");
}

#[tokio::test]
async fn known_keys_outlive_an_outage_and_unknown_ones_are_unavailable() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = down.clone();
    let server = Loopback::start(move |_| match is_down.load(Ordering::SeqCst) {
        true => Answer::status(500),
        false => Answer::status(200).body(&key_set()),
    })
    .await;
    let outlived = issuers(server.url(), KeyTimes { fresh: Duration::ZERO, ..EAGER });
    let too_old = issuers(server.url(), KeyTimes { stale: Duration::ZERO, ..EAGER });
    outlived.verify("login", &token(&claims())).await.unwrap();
    down.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        outlived.verify("login", &token(&claims())).await.unwrap();
    }
    let unknown = token_with(RSA, Algorithm::RS256, Some("new"), &claims());
    assert!(matches!(outlived.verify("login", &unknown).await, Err(JwtError::Unavailable(_))));
    assert!(matches!(too_old.verify("login", &token(&claims())).await, Err(JwtError::Unavailable(_))));
}

#[tokio::test]
async fn a_failure_is_remembered_for_a_while() {
    let server = Loopback::start(|_| Answer::status(404)).await;
    let issuers = issuers(server.url(), patient());
    for _ in 0..5 {
        let outcome = issuers.verify("login", &token(&claims())).await;
        assert!(matches!(&outcome, Err(JwtError::Unavailable(text)) if text.contains("404")), "{outcome:?}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_share_one_fetch_and_one_that_leaves_does_not_stop_it() {
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let server = Loopback::start(move |_| {
        // Held until the test has lined up its callers.
        tokio::task::block_in_place(|| gate.lock().unwrap().recv()).unwrap();
        Answer::status(200).body(&key_set())
    })
    .await;
    let issuers = issuers(server.url(), patient());
    let good = token(&claims());
    let mut leaver = Box::pin(issuers.verify("login", &good));
    assert!(futures::poll!(leaver.as_mut()).is_pending());
    drop(leaver);
    let mut callers = futures::future::join_all((0..10).map(|_| issuers.verify("login", &good)));
    assert!(futures::poll!(&mut callers).is_pending());
    open.send(()).unwrap();
    let outcomes = callers.await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_unavailable_in_bounded_time() {
    let server = Loopback::start(|_| Answer::silence()).await;
    let issuers = issuers(server.url(), KeyTimes { timeout: Duration::from_millis(50), ..patient() });
    let outcome = issuers.verify("login", &token(&claims())).await;
    assert!(matches!(outcome, Err(JwtError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn documents_that_are_none_are_unavailable_in_words_without_an_address() {
    for answer in [
        Answer::status(200).body("<html>"),
        Answer::status(200).body("[]"),
        Answer::status(200).body(&format!("{{\"keys\":[\"{}\"]}}", "x".repeat(1024 * 1024))),
        Answer::status(302).header("location", "http://127.0.0.1:1/"),
        Answer::hang_up(),
    ] {
        let server = Loopback::start(move |_| answer.clone()).await;
        let outcome = issuers(server.url(), patient()).verify("login", &token(&claims())).await;
        let Err(JwtError::Unavailable(text)) = outcome else { panic!("{outcome:?}") };
        assert!(!text.contains("127.0.0.1"), "{text}");
    }
}

#[tokio::test]
async fn discovery_finds_the_keys_of_exactly_this_issuer() {
    for (claimed, keys, works) in
        [(None, None, true), (Some("https://evil.example"), None, false), (None, Some("file:///etc/passwd"), false)]
    {
        let own = Arc::new(Mutex::new(String::new()));
        let shared = own.clone();
        let server = Loopback::start(move |seen| {
            let own = shared.lock().unwrap().clone();
            match seen.path.as_str() {
                "/realm/.well-known/openid-configuration" => {
                    let jwks = keys.map_or_else(|| own.replace("/realm", "/keys"), str::to_owned);
                    let document = json!({"issuer": claimed.unwrap_or(&own), "jwks_uri": jwks});
                    Answer::status(200).body(&document.to_string())
                }
                "/keys" => Answer::status(200).body(&key_set()),
                _ => Answer::status(404),
            }
        })
        .await;
        let url = format!("{}/realm", server.url());
        own.lock().unwrap().clone_from(&url);
        let configured = Issuer { issuer: url.clone(), jwks_url: None, ..issuer(String::new()) };
        let issuers = Issuers::new(vec![configured]).unwrap();
        let mut claims = claims();
        claims["iss"] = json!(url);
        let outcome = issuers.verify("login", &token(&claims)).await;
        assert_eq!(outcome.is_ok(), works, "{outcome:?}");
    }
}

#[test]
fn a_wrong_configuration_names_the_issuer_and_the_key() {
    let good = || issuer("https://issuer.example/keys".into());
    for (wrong, word) in [
        (Issuer { jwks_url: Some("keys".into()), ..good() }, "`jwks_url`"),
        (Issuer { jwks_url: None, issuer: "issuer.example".into(), ..good() }, "`issuer`"),
        (Issuer { audiences: vec![], ..good() }, "`audiences`"),
        (Issuer { audiences: vec![String::new()], ..good() }, "`audiences`"),
        (Issuer { algorithms: vec!["HS256".into()], ..good() }, "`HS256`"),
        (Issuer { algorithms: vec!["none".into()], ..good() }, "`none`"),
        (Issuer { algorithms: vec!["RS256".into(), "rs512".into()], ..good() }, "`rs512`"),
    ] {
        let text = Issuers::new(vec![wrong]).unwrap_err().to_string();
        assert!(text.starts_with("issuer `login`: ") && text.contains(word), "{text}");
    }
    assert!(Issuers::new(vec![good(), good()]).unwrap_err().to_string().contains("twice"));
}
