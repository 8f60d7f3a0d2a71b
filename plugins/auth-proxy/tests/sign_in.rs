//! What the provider answers, by configuration and request.

#![allow(clippy::expect_used, clippy::panic)]

use auth_proxy::Proxy;
use chm_plugin::auth::{Principal, RequestHead, Verdict};
use chm_plugin::host::jwt::{JwtError, Place};
use chm_plugin::testing::FakeHost;
use chm_plugin::{AuthProvider, Failure};
use serde_json::{Value, json};

/// A host with the manifest's defaults, which has granted everything and configured nothing.
fn host() -> FakeHost {
    FakeHost::new()
        .unset_issuer("cloudflare")
        .unset_secret("auth_secret")
        .setting("cookie", "false")
        .setting("shared_secret_header", "X-Chm-Proxy-Secret")
        .setting("auth_header", "X-Forwarded-User")
}

fn header() -> Place {
    Place::Header("cf-access-jwt-assertion".into())
}

fn cookie() -> Place {
    Place::Cookie("CF_Authorization".into())
}

fn head(user: Option<&str>) -> RequestHead {
    let head = RequestHead::new("GET", "/api/v1/hosts");
    user.map_or(head.clone(), |user| head.with_header("x-forwarded-user", user))
}

fn verdict(user: Option<&str>) -> Verdict {
    Proxy::authenticate(head(user)).expect("a verdict")
}

fn person(user: Option<&str>) -> Principal {
    match verdict(user) {
        Verdict::Authenticated(person) => person,
        other => panic!("not authenticated: {other:?}"),
    }
}

fn failure(user: Option<&str>) -> String {
    match Proxy::authenticate(head(user)) {
        Err(Failure::Unavailable(why)) => why,
        other => panic!("did not fail: {other:?}"),
    }
}

fn rejection(user: Option<&str>) -> String {
    match verdict(user) {
        Verdict::Rejected(why) => why,
        other => panic!("not rejected: {other:?}"),
    }
}

#[test]
fn a_token_of_cloudflare_names_the_person_by_email_else_by_sub_else_by_its_common_name() {
    let cases: [(Value, &str, Option<&str>); 4] = [
        (json!({"email": "ann@x", "sub": "7"}), "ann@x", Some("ann@x")),
        (json!({"sub": "7", "email": ""}), "7", None),
        (json!({"sub": "7", "email": null}), "7", None),
        (json!({"sub": "", "common_name": "robot.access"}), "robot.access", None),
    ];
    for (claims, subject, email) in cases {
        let _ = host().sent_token("cloudflare", header(), claims.clone());
        let person = person(None);
        assert_eq!((person.subject.as_str(), person.email.as_deref()), (subject, email), "{claims}");
    }
}

#[test]
fn a_token_that_names_nobody_signs_nobody_in() {
    let _ = host().sent_token("cloudflare", header(), json!({"aud": ["a"]}));
    assert!(rejection(None).contains("names nobody"));
    let _ = host().sent_token("cloudflare", header(), json!({"email": ["ann@x"]}));
    assert!(matches!(Proxy::authenticate(head(None)), Err(Failure::Internal(_))));
}

#[test]
fn the_cookie_counts_only_where_the_operator_says_so_and_the_header_is_missing() {
    let fake = host().sent_token("cloudflare", cookie(), json!({"email": "cookie@x"}));
    assert_eq!(verdict(None), Verdict::NoCredentials);
    let fake = fake.setting("cookie", "true");
    assert_eq!(person(None).subject, "cookie@x");
    let fake = fake.sent_token("cloudflare", header(), json!({"email": "header@x"}));
    assert_eq!(person(None).subject, "header@x");
    let _ = fake.sent_token_error("cloudflare", header(), JwtError::Invalid("it has expired".into()));
    assert!(rejection(None).contains("it has expired"), "a bad header is not repaired by a cookie");
}

#[test]
fn a_bad_token_is_rejected_whatever_is_wrong_with_it() {
    for error in [JwtError::Invalid("it has expired".into()), JwtError::Foreign("its `iss` is another issuer".into())] {
        let _ = host().sent_token_error("cloudflare", header(), error);
        assert!(rejection(None).starts_with("the token of Cloudflare Access"));
    }
}

#[test]
fn a_bad_token_leaves_the_trusted_header_its_chance() {
    let fake = host()
        .sent_token_error("cloudflare", header(), JwtError::Unavailable("no keys".into()))
        .secret("auth_secret", "s3cret");
    // Whoever may have a good token is not taken for somebody who guesses.
    assert_eq!(failure(None), "the token of Cloudflare Access cannot be verified: no keys");
    let fake = fake.request_header("x-chm-proxy-secret", "s3cret");
    assert_eq!(person(Some("ann")), Principal::new("ann"));
    assert!(failure(None).ends_with("no keys"), "the right secret without a user is no sign-in");
    let _ = fake.request_header("x-chm-proxy-secret", "guess");
    let why = rejection(Some("ann"));
    assert!(why.contains("no keys") && why.contains("the proxy's secret"), "{why}");
}

#[test]
fn the_trusted_header_needs_the_secret_and_a_user() {
    // The secret that is set, the one that is sent, the user: authenticated, rejected, or nothing at all.
    let cases = [
        (Some("s3cret"), Some("s3cret"), Some("ann"), "authenticated"),
        (Some("s3cret"), Some("s3cret"), Some("Änn 李"), "authenticated"),
        (Some("s3cret"), Some("s3cret"), Some(""), "nothing"),
        (Some("s3cret"), Some("s3cret"), None, "nothing"),
        (Some("s3cret"), Some("s3creT"), Some("ann"), "rejected"),
        (Some("s3cret"), Some("s3cret, s3cret"), Some("ann"), "rejected"),
        (Some("s3cret"), Some("guess"), None, "rejected"),
        (Some("s3cret"), Some(""), Some("ann"), "rejected"),
        (Some("s3cret"), Some(""), None, "nothing"),
        (Some("s3cret"), None, Some("ann"), "rejected"),
        (Some("s3cret"), None, None, "nothing"),
        (None, Some("s3cret"), Some("ann"), "nothing"),
        (None, Some(""), Some("ann"), "nothing"),
    ];
    for (secret, sent, user, expected) in cases {
        let mut fake = host();
        if let Some(secret) = secret {
            fake = fake.secret("auth_secret", secret);
        }
        if let Some(sent) = sent {
            fake = fake.request_header("x-chm-proxy-secret", sent);
        }
        let found = match verdict(user) {
            Verdict::Authenticated(person) => {
                assert_eq!(Some(person.subject.as_str()), user, "the header's value, as it is");
                "authenticated"
            }
            Verdict::Rejected(_) => "rejected",
            Verdict::NoCredentials => "nothing",
        };
        assert_eq!(found, expected, "{secret:?} {sent:?} {user:?}");
        assert!(fake.lines().is_empty(), "the host logs rejections, with a limit");
    }
}

#[test]
fn the_operator_may_name_other_headers() {
    let fake = host()
        .secret("auth_secret", "s3cret")
        .setting("shared_secret_header", "X-Gate")
        .setting("auth_header", "X-Auth-Request-User")
        .request_header("x-gate", "s3cret");
    let head = RequestHead::new("GET", "/").with_header("x-auth-request-user", "bob");
    assert_eq!(Proxy::authenticate(head), Ok(Verdict::Authenticated(Principal::new("bob"))));
    assert_eq!(verdict(Some("ann")), Verdict::NoCredentials, "the old name says nothing");
    let _ = fake;
}

#[test]
fn what_was_not_granted_fails_closed() {
    let _ = FakeHost::new().secret("auth_secret", "s3cret").request_header("x-chm-proxy-secret", "s3cret");
    assert!(matches!(Proxy::authenticate(head(Some("ann"))), Err(Failure::Denied(_))), "no issuer");
    let _ = FakeHost::new().unset_issuer("cloudflare");
    assert!(matches!(Proxy::authenticate(head(Some("ann"))), Err(Failure::Denied(_))), "no secret");
}
