//! What the provider answers to OAuth tokens.

use chm_plugin::Failure;
use chm_plugin::auth::Verdict;
use chm_plugin::host::http::{HttpError, Response};
use chm_plugin::host::jwt::{JwtError, Place};
use chm_plugin::host::kv;
use chm_plugin::testing::FakeHost;
use serde_json::{Value, json};

use crate::host::{asked, bearer, cookie, host, nothing, person, rejection};

/// Clerk's answer about a good token.
fn good() -> Value {
    json!({"object": "clerk_idp_oauth_access_token", "id": "oat_1", "client_id": "client_1", "subject": "user_7",
        "scopes": ["email", "profile"], "revoked": false, "revocation_reason": null, "expired": false,
        "expiration": 2000, "created_at": 900, "updated_at": 900})
}

/// The good answer with one field changed.
fn but(field: &str, value: Value) -> Value {
    let mut answer = good();
    answer[field] = value;
    answer
}

fn answering(status: u16, body: Value) -> FakeHost {
    let body = body.to_string().into_bytes();
    host().endpoint("clerk-api", move |_| Ok(Response { body: body.clone(), ..Response::status(status) }))
}

#[test]
fn clerk_is_asked_what_a_token_is_worth() {
    let fake = answering(200, good());
    let ann = person(bearer("oat_secret"));
    assert_eq!((ann.subject.as_str(), ann.claim("oauth_client")), ("user_7", Some("client_1")));
    assert_eq!(ann.claim("oauth_scopes"), Some("email profile"));
    let [sent] = fake.requests().try_into().expect("one request");
    assert_eq!(
        (sent.request.method.as_str(), sent.request.path.as_str()),
        ("POST", "/oauth_applications/access_tokens/verify")
    );
    assert_eq!(sent.json(), json!({"access_token": "oat_secret"}));
}

#[test]
fn an_answer_lets_nobody_in_unless_everything_in_it_is_right() {
    let expired = "it has expired";
    for (answer, why) in [
        (json!({"active": false}), "not active"),
        (but("active", json!(false)), "not active"),
        (but("revoked", json!(true)), "revoked"),
        (but("expired", json!(true)), expired),
        (but("expiration", json!(1000)), expired),
        (but("expiration", json!(999_000_000_000.0)), ""),
        (but("expiration", json!(null)), ""),
        (but("active", json!(true)), ""),
        (but("subject", json!("")), "names nobody"),
        (but("subject", json!(null)), "names nobody"),
        (json!({}), "names nobody"),
        (but("aud", json!("https://other.example.org")), "somebody else"),
        (but("aud", json!("https://chm.example.org.evil.org")), "somebody else"),
        (but("aud", json!([])), "somebody else"),
        (but("aud", json!({})), "somebody else"),
        (but("aud", json!("https://chm.example.org/api/mcp")), ""),
        (but("aud", json!(["x", "https://CHM.example.org"])), ""),
    ] {
        let _ = answering(200, answer.clone());
        match asked(bearer("oat_1")) {
            Ok(Verdict::Rejected(found)) => assert!(!why.is_empty() && found.contains(why), "{answer}: {found}"),
            Ok(Verdict::Authenticated(_)) => assert!(why.is_empty(), "{answer}"),
            other => panic!("{answer}: {other:?}"),
        }
    }
}

#[test]
fn the_operator_may_want_more_of_a_token() {
    for (setting, value, answer, enters) in [
        ("oauth_audiences", "chm", good(), false),
        ("oauth_audiences", "x,chm", but("aud", json!(["chm"])), true),
        ("oauth_audiences", "chm", but("aud", json!("https://chm.example.org")), false),
        ("oauth_clients", "client_0,client_1", good(), true),
        ("oauth_clients", "client_0", good(), false),
        ("oauth_clients", "client_0", but("client_id", json!(null)), false),
        ("oauth_scopes", "email,profile", good(), true),
        ("oauth_scopes", "email,chm:read", good(), false),
        ("oauth_scopes", "email", but("scopes", json!(null)), false),
        ("organizations", "org_1", good(), false),
    ] {
        let _ = answering(200, answer.clone()).setting(setting, value);
        let entered = matches!(asked(bearer("oat_1")), Ok(Verdict::Authenticated(_)));
        assert_eq!(entered, enters, "{setting} = {value}: {answer}");
    }
}

#[test]
fn a_token_that_clerk_does_not_know_is_rejected_and_an_outage_is_a_failure() {
    for status in [400, 404, 422] {
        let _ = answering(status, json!({"errors": []}));
        assert!(matches!(asked(bearer("oat_1")), Ok(Verdict::Rejected(_))), "{status}");
    }
    for status in [301, 401, 403, 408, 429, 500, 503] {
        let _ = answering(status, good());
        let failure = asked(bearer("oat_1"));
        assert!(matches!(failure, Err(Failure::Unavailable(_) | Failure::Internal(_))), "{status}: {failure:?}");
    }
    for body in [json!([]), json!("x"), but("revoked", json!("no")), but("scopes", json!("email"))] {
        let _ = answering(200, body.clone());
        assert!(matches!(asked(bearer("oat_1")), Err(Failure::Unavailable(_))), "{body}");
    }
    for error in [HttpError::Timeout, HttpError::TooLarge, HttpError::Unreachable("refused".into())] {
        let _ = host().endpoint("clerk-api", move |_| Err(error.clone()));
        assert!(matches!(asked(bearer("oat_1")), Err(Failure::Unavailable(_))));
    }
    let _ = host();
    assert!(matches!(asked(bearer("oat_1")), Err(Failure::Denied(_))), "an endpoint that was not granted");
}

#[test]
fn only_tokens_that_look_like_clerks_are_sent_to_clerk() {
    let fake = answering(200, good()).sent_token_error("clerk", Place::Bearer, JwtError::Foreign("no JWT".into()));
    let long = format!("oat_{}", "x".repeat(600));
    for token in
        ["chm_payload.signature", "the-admin-secret", "oat_a.b.c", "oat_a b", "oat_ä", "oat_1, Bearer oat_2", &long]
    {
        assert_eq!(asked(bearer(token)), Ok(Verdict::NoCredentials), "{token}");
    }
    let fake = fake.setting("oauth_tokens", "false");
    assert_eq!(asked(bearer("oat_1")), Ok(Verdict::NoCredentials));
    let fake = fake.setting("oauth_tokens", "true").unset_secret("secret_key").setting("networkless", "true");
    assert_eq!(asked(bearer("oat_1")), Ok(Verdict::NoCredentials), "without the secret key Clerk tells nothing");
    assert!(fake.requests().is_empty());
    let _ = fake.secret("secret_key", "sk").setting("oauth_prefix", "token-");
    assert_eq!(person(bearer("token-1")).subject, "user_7");
}

#[test]
fn clerks_word_is_kept_for_a_short_while_and_no_longer() {
    let fake = answering(200, good());
    let ask_twice = |fake: FakeHost, later: f64| {
        let before = fake.requests().len();
        let _ = fake.now(1_000_000.0);
        let _ = person(bearer("oat_secret"));
        let _ = fake.now(1_000_000.0 + later);
        let _ = asked(bearer("oat_secret"));
        fake.requests().len() - before
    };
    assert_eq!(ask_twice(fake, 29_999.0), 1);
    assert_eq!(ask_twice(fake, 30_000.0), 1, "the first answer was still there");
    assert_eq!(ask_twice(answering(200, good()), 30_000.0), 2);
    assert_eq!(ask_twice(answering(200, good()).setting("oauth_cache_seconds", "0"), 0.0), 2);
    assert_eq!(ask_twice(answering(200, good()).setting("oauth_cache_seconds", "-5"), 0.0), 2);
    assert_eq!(ask_twice(answering(200, good()).setting("oauth_cache_seconds", "999999"), 300_000.0), 2);
    let ends_soon = answering(200, but("expiration", json!(1005)));
    assert_eq!(ask_twice(ends_soon, 5000.0), 2, "not beyond the token's own end");
}

#[test]
fn nobody_waits_for_an_api_that_was_down_a_moment_ago() {
    for answer in [Err(HttpError::Timeout), Err(HttpError::Unreachable("refused".into())), Ok(Response::status(503))] {
        let fake = host().endpoint("clerk-api", move |_| answer.clone());
        for (later, requests) in [(0.0, 1), (4999.0, 1), (5000.0, 2), (5001.0, 2), (-60_000.0, 3)] {
            let _ = fake.now(1_000_000.0 + later);
            assert!(matches!(asked(bearer("oat_1")), Err(Failure::Unavailable(_))), "{later}");
            assert_eq!(fake.requests().len(), requests, "{later}");
        }
    }
    let fake = answering(200, good());
    let _ = person(bearer("oat_1"));
    let _ = fake.endpoint("clerk-api", |_| Err(HttpError::Timeout));
    let _ = asked(bearer("oat_2"));
    assert_eq!(person(bearer("oat_1")).subject, "user_7", "what Clerk said before still counts");
}

#[test]
fn what_the_operator_forbids_later_is_forbidden_at_once() {
    let fake = answering(200, good());
    let _ = person(bearer("oat_1"));
    let _ = fake.setting("oauth_clients", "client_0");
    assert!(rejection(bearer("oat_1")).contains("oauth_clients"));
}

#[test]
fn the_store_holds_no_token_and_only_answers_that_let_somebody_in() {
    let fake = answering(200, good());
    let _ = person(bearer("oat_secret"));
    let slots: Vec<_> = (0..=255).filter_map(|slot| kv::get(&format!("oauth-{slot}")).expect("a store")).collect();
    let [entry] = slots.as_slice() else { panic!("{} entries", slots.len()) };
    assert!(!String::from_utf8_lossy(entry).contains("oat_secret"));
    assert!(entry.len() < 1000, "{}", entry.len());

    let _ = answering(200, but("revoked", json!(true)));
    let _ = rejection(bearer("oat_secret"));
    assert!((0..=255).all(|slot| kv::get(&format!("oauth-{slot}")) == Ok(None)));
    let _ = fake;
}

#[test]
fn tokens_of_one_slot_are_not_mixed_up_and_a_full_store_is_no_error() {
    let answer = |request: &chm_plugin::host::http::Request| {
        let token = serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
        let body = but("subject", token["access_token"].clone()).to_string().into_bytes();
        Ok(Response { body, ..Response::status(200) })
    };
    let fake = host().endpoint("clerk-api", answer);
    for round in 0..2 {
        for number in 0..400 {
            let token = format!("oat_{number}");
            assert_eq!(person(bearer(&token)).subject, token, "round {round}");
        }
    }
    assert!(fake.requests().len() > 400, "400 tokens do not fit");
    let fake = host().endpoint("clerk-api", answer).kv(10);
    assert_eq!(person(bearer("oat_1")).subject, "oat_1");
    assert_eq!(person(bearer("oat_1")).subject, "oat_1");
    assert_eq!(fake.requests().len(), 2);
}

#[test]
fn an_oauth_token_that_is_a_jwt_is_no_session() {
    let claims = json!({"sub": "user_7", "client_id": "client_1", "scope": "email profile", "exp": 2000});
    let token = |claims: Value| host().sent_token("clerk", Place::Bearer, claims);
    let _ = token(claims.clone());
    assert_eq!(person(bearer("e.y.j")).claim("oauth_scopes"), Some("email profile"));
    let mut other = claims.clone();
    other["aud"] = json!("https://other.example.org");
    let _ = token(other);
    assert!(rejection(bearer("e.y.j")).contains("somebody else"));
    let _ = token(claims.clone()).setting("oauth_tokens", "false");
    assert!(rejection(bearer("e.y.j")).contains("not taken"));
    let _ = host().sent_token("clerk", cookie(), claims);
    assert!(rejection(nothing()).contains("not taken"), "a cookie is a session or nothing");
}
