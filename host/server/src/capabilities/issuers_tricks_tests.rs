//! What attackers try, and what operators choose.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::tests::{
    EC, ISSUER, RSA, STRANGER, WEAK, claims, is_invalid, issuer, issuers, key_set, now, patient, public, token,
    token_with,
};
use super::*;
use crate::capabilities::loopback::{Answer, Loopback};

const RSA_PUBLIC: &str = include_str!("../../tests/data/issuer-rsa.pub.pem");
const EC_PUBLIC: &str = include_str!("../../tests/data/issuer-ec.pub.pem");
const ED25519_PUBLIC: &str = include_str!("../../tests/data/issuer-ed25519.pub.pem");
const WEAK_PUBLIC: &str = include_str!("../../tests/data/weak-rsa.pub.pem");

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with any header and any claims, as text; the signature is that of another token.
fn forged(header: &Value, claims: &str, signature: &str) -> String {
    format!("{}.{}.{signature}", part(header), URL_SAFE_NO_PAD.encode(claims))
}

fn signature_of(token: &str) -> &str {
    token.rsplit('.').next().unwrap()
}

#[tokio::test]
async fn tokens_of_others_are_foreign_and_cost_no_fetch() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let issuers = issuers(server.url(), patient());
    let other = json!({"iss": "https://evil.example", "aud": "chm", "exp": now() + 600});
    for (what, foreign) in [
        ("empty", String::new()),
        ("one part", "abc".into()),
        ("two parts", "a.b".into()),
        ("five parts", "a.b.c.d.e".into()),
        ("not base64", "?.?.?".into()),
        ("not ASCII", "é.é.é".into()),
        ("header is no object", format!("{}.{}.x", part(&json!("x")), part(&claims()))),
        ("claims are no object", format!("{}.{}.x", part(&json!({"alg": "RS256"})), part(&json!([ISSUER])))),
        ("an opaque token with dots", "v1.public.token".into()),
        ("another issuer, rightly signed", token(&other)),
        ("almost our issuer", token(&json!({"iss": format!("{ISSUER}/"), "aud": "chm", "exp": now() + 600}))),
        ("our issuer in capitals", token(&json!({"iss": ISSUER.to_uppercase(), "exp": now() + 600}))),
    ] {
        let outcome = issuers.verify("login", &foreign).await;
        assert!(matches!(outcome, Err(JwtError::Foreign(_))), "{what}: {outcome:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn no_trick_with_the_header_makes_a_forged_token_good() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let issuers = issuers(server.url(), patient());
    let (good, text) = (token(&claims()), claims().to_string());
    let signature = signature_of(&good);
    let elsewhere = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let at = elsewhere.url();
    let by_stranger = |header: &Value| {
        let message = format!("{}.{}", part(header), URL_SAFE_NO_PAD.encode(&text));
        let key = EncodingKey::from_rsa_pem(STRANGER).unwrap();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::RS256).unwrap();
        format!("{message}.{signature}")
    };
    let own_key = public(STRANGER, Algorithm::RS256, "rsa");
    let mut bad: Vec<(String, String)> =
        ["none", "None", "NONE", "nOnE", "", "HS256", "HS512", "rs256", "RS256 ", "ES256K"]
            .iter()
            .flat_map(|alg| {
                [signature, ""]
                    .map(|end| (format!("alg {alg}"), forged(&json!({"alg": alg, "kid": "rsa"}), &text, end)))
            })
            .collect();
    bad.extend([
        ("no alg".to_owned(), forged(&json!({"kid": "rsa"}), &text, signature)),
        ("alg is a list".to_owned(), forged(&json!({"alg": ["RS256"]}), &text, signature)),
        ("alg twice".to_owned(), {
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"RS256","kid":"rsa"}"#);
            format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(&text))
        }),
        ("its own key".to_owned(), by_stranger(&json!({"alg": "RS256", "jwk": own_key}))),
        ("its own key, known id".to_owned(), by_stranger(&json!({"alg": "RS256", "kid": "rsa", "jwk": own_key}))),
        ("key set elsewhere".to_owned(), by_stranger(&json!({"alg": "RS256", "kid": "rsa", "jku": at}))),
        ("certificate elsewhere".to_owned(), by_stranger(&json!({"alg": "RS256", "kid": "rsa", "x5u": at}))),
        ("certificate within".to_owned(), by_stranger(&json!({"alg": "RS256", "kid": "rsa", "x5c": ["MIIB"]}))),
        ("kid is a number".to_owned(), by_stranger(&json!({"alg": "RS256", "kid": 7}))),
        ("unencoded payload".to_owned(), by_stranger(&json!({"alg": "RS256", "b64": false, "crit": ["b64"]}))),
    ]);
    for kid in ["../../../etc/passwd", "/dev/null", "http://127.0.0.1/keys", "rsa\0", "' OR 1=1 --", "$(id)", "RSA", ""]
    {
        bad.push((format!("kid {kid:?}"), by_stranger(&json!({"alg": "RS256", "kid": kid}))));
    }
    bad.push(("huge kid".to_owned(), by_stranger(&json!({"alg": "RS256", "kid": "k".repeat(8000)}))));
    // The oldest one: the public key as shared secret, in each of its forms.
    for secret in [RSA_PUBLIC.to_owned(), RSA_PUBLIC.trim().to_owned(), own_key.to_string()] {
        let header = Header { kid: Some("rsa".into()), ..Header::new(Algorithm::HS256) };
        let signed = encode(&header, &claims(), &EncodingKey::from_secret(secret.as_bytes())).unwrap();
        bad.push(("public key as shared secret".to_owned(), signed));
    }
    for (what, bad) in bad {
        let outcome = issuers.verify("login", &bad).await;
        assert!(matches!(outcome, Err(JwtError::Invalid(_))), "{what}: {outcome:?}");
    }
    assert!(elsewhere.requests().is_empty(), "no address in a token is ever asked");
    assert!(server.requests().iter().all(|seen| seen.path == "/"), "no key id becomes part of an address");
    issuers.verify("login", &good).await.unwrap();
}

#[tokio::test]
async fn times_of_every_shape_are_read_or_refused() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let issuers = issuers(server.url(), patient());
    let body = |exp: &str| format!(r#"{{"iss":"{ISSUER}","aud":"chm","sub":"ada","exp":{exp}}}"#);
    let signed = |claims: &str| {
        let message = format!("{}.{}", part(&json!({"alg": "RS256", "kid": "rsa"})), URL_SAFE_NO_PAD.encode(claims));
        let key = EncodingKey::from_rsa_pem(RSA).unwrap();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::RS256).unwrap();
        format!("{message}.{signature}")
    };
    for exp in [format!("{}.5", now() + 60), format!("{}e0", now() + 600), "99999999999".into(), u64::MAX.to_string()] {
        let outcome = issuers.verify("login", &signed(&body(&exp))).await;
        assert!(outcome.is_ok(), "{exp}: {outcome:?}");
    }
    for exp in
        ["-1", "0", "-1e300", "1e300", "\"99999999999\"", "null", "true", "[99999999999]", "{}", "18446744073709551616"]
    {
        let outcome = issuers.verify("login", &signed(&body(exp))).await;
        assert!(matches!(outcome, Err(JwtError::Invalid(_))), "{exp}: {outcome:?}");
    }
    for twice in [
        format!(r#"{{"iss":"{ISSUER}","aud":"chm","exp":1,"exp":99999999999}}"#),
        format!(r#"{{"iss":"https://evil.example","aud":"chm","exp":99999999999,"iss":"{ISSUER}"}}"#),
        format!(r#"{{"iss":"{ISSUER}","aud":"x","exp":99999999999,"aud":"chm"}}"#),
    ] {
        let outcome = issuers.verify("login", &signed(&twice)).await;
        assert!(matches!(outcome, Err(JwtError::Invalid(_))), "{twice}: {outcome:?}");
    }
}

#[tokio::test]
async fn keys_that_are_not_what_they_say_verify_nothing() {
    let mut small_curve = public(EC, Algorithm::ES256, "curve");
    small_curve["crv"] = json!("P-384");
    let mut short = public(EC, Algorithm::ES256, "short");
    short["x"] = json!("AQ");
    let keys = json!({"keys": [small_curve, short, public(WEAK, Algorithm::RS256, "weak")]}).to_string();
    let server = Loopback::start(move |_| Answer::status(200).body(&keys)).await;
    let configured =
        Issuer { algorithms: ["RS256", "ES256", "ES384"].map(String::from).to_vec(), ..issuer(server.url()) };
    let issuers = Issuers::with_times(vec![configured], patient()).unwrap();
    for (pem, algorithm, kid) in [
        (EC, Algorithm::ES256, Some("curve")),
        (EC, Algorithm::ES256, Some("short")),
        (EC, Algorithm::ES256, None),
        (WEAK, Algorithm::RS256, Some("weak")),
        (WEAK, Algorithm::RS256, None),
    ] {
        let outcome = issuers.verify("login", &token_with(pem, algorithm, kid, &claims())).await;
        assert!(matches!(outcome, Err(JwtError::Invalid(_))), "{algorithm:?} {kid:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_key_in_pem_needs_no_network() {
    let with = |pem: &str| Issuer {
        jwks_url: None,
        public_key: Some(pem.to_owned()),
        issuer: ISSUER.into(),
        ..issuer(String::new())
    };
    for (public, private, algorithm) in [
        (RSA_PUBLIC, RSA, Algorithm::RS256),
        (EC_PUBLIC, EC, Algorithm::ES256),
        (ED25519_PUBLIC, super::tests::ED25519, Algorithm::EdDSA),
    ] {
        let issuers = Issuers::new(vec![with(public)]).unwrap();
        issuers.warm();
        for kid in [None, Some("any")] {
            issuers.verify("login", &token_with(private, algorithm, kid, &claims())).await.unwrap();
        }
        let other = token_with(STRANGER, Algorithm::RS256, None, &claims());
        assert!(is_invalid(&issuers.verify("login", &other).await, ""), "{algorithm:?}");
    }
    for (what, unfit) in [
        ("too weak", with(WEAK_PUBLIC)),
        ("private", with(std::str::from_utf8(RSA).unwrap())),
        ("nothing", with("RSA")),
        ("broken", with(&RSA_PUBLIC.replace("MII", "MIA"))),
        ("no algorithm for it", Issuer { algorithms: vec!["ES256".into()], ..with(RSA_PUBLIC) }),
        ("two answers", Issuer { jwks_url: Some("https://issuer.example/".into()), ..with(RSA_PUBLIC) }),
    ] {
        let text = Issuers::new(vec![unfit]).unwrap_err().to_string();
        assert!(text.starts_with("issuer `login`: `public_key`"), "{what}: {text}");
    }
}

#[tokio::test]
async fn whom_a_token_is_for_is_not_looked_at_where_the_operator_says_so() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let of = |audiences: &[&str]| {
        let audiences = audiences.iter().map(|&audience| audience.to_owned()).collect();
        Issuers::with_times(vec![Issuer { audiences, ..issuer(server.url()) }], patient()).unwrap()
    };
    let any = of(&["*"]);
    let mut none = claims();
    none.as_object_mut().unwrap().remove("aud");
    let star = json!({"iss": ISSUER, "aud": "*", "exp": now() + 600});
    for claims in [&none, &claims(), &star, &json!({"iss": ISSUER, "aud": ["x"], "exp": now() + 600})] {
        any.verify("login", &token(claims)).await.unwrap();
    }
    for audiences in [&["chm", "*"][..], &["chm"][..]] {
        let strict = of(audiences);
        strict.verify("login", &token(&claims())).await.unwrap();
        assert!(is_invalid(&strict.verify("login", &token(&none)).await, "`aud`"), "{audiences:?}");
    }
}

#[tokio::test]
async fn few_wait_for_a_slow_issuer_and_those_with_known_keys_do_not() {
    let slow = Arc::new(AtomicBool::new(false));
    let is_slow = slow.clone();
    let server = Loopback::start(move |_| match is_slow.load(Ordering::SeqCst) {
        true => Answer::silence(),
        false => Answer::status(200).body(&key_set()),
    })
    .await;
    let times = KeyTimes { refetch: Duration::ZERO, ..patient() };
    let issuers = issuers(server.url(), times);
    issuers.verify("login", &token(&claims())).await.unwrap();
    slow.store(true, Ordering::SeqCst);
    let unknown: Vec<_> = (0..40)
        .map(|number| token_with(STRANGER, Algorithm::RS256, Some(&format!("kid-{number}")), &claims()))
        .collect();
    let mut waiting = futures::stream::FuturesUnordered::new();
    for token in &unknown {
        waiting.push(issuers.verify("login", token));
    }
    let mut turned_away = 0;
    while let std::task::Poll::Ready(Some(outcome)) = futures::poll!(futures::StreamExt::next(&mut waiting)) {
        assert!(matches!(outcome, Err(JwtError::Unavailable(_))), "{outcome:?}");
        turned_away += 1;
    }
    assert_eq!(turned_away, 32, "eight wait, the others are told at once");
    let good = token(&claims());
    let mut known = Box::pin(issuers.verify("login", &good));
    assert!(matches!(futures::poll!(known.as_mut()), std::task::Poll::Ready(Ok(_))), "not even a moment");
    drop(known);
    drop(waiting);
    let mut again = Box::pin(issuers.verify("login", &unknown[0]));
    assert!(futures::poll!(again.as_mut()).is_pending(), "those who left made room");
}

#[tokio::test]
async fn a_caller_waits_no_longer_than_a_call_may_take() {
    let server = Loopback::start(|_| Answer::silence()).await;
    let issuers = issuers(server.url(), KeyTimes { wait: Duration::from_millis(20), ..patient() });
    let outcome = issuers.verify("login", &token(&claims())).await;
    assert!(matches!(&outcome, Err(JwtError::Unavailable(text)) if text.contains("not arrived")), "{outcome:?}");
}

#[tokio::test]
async fn keys_are_fetched_again_before_anybody_needs_them() {
    let server = Loopback::start(|_| Answer::status(200).body(&key_set())).await;
    let times = KeyTimes { fresh: Duration::from_millis(20), retry: Duration::from_millis(20), ..patient() };
    let issuers = issuers(server.url(), times);
    issuers.warm();
    for _ in 0..500 {
        if server.requests().len() >= 3 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody asked, and the keys were fetched {} times", server.requests().len());
}
