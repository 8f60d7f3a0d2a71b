//! What the provider answers, by configuration and token.

#![allow(clippy::expect_used, clippy::panic)]

use auth_oidc::Oidc;
use chm_plugin::auth::{Principal, RequestHead, Verdict};
use chm_plugin::host::jwt::{JwtError, Place};
use chm_plugin::testing::FakeHost;
use chm_plugin::{AuthProvider, Failure};
use serde_json::{Value, json};

/// A host with the manifest's defaults.
fn host() -> FakeHost {
    FakeHost::new()
        .issuer("oidc")
        .setting("subject_claim", "sub")
        .setting("email_claim", "email")
        .setting("name_claim", "name")
        .setting("picture_claim", "picture")
        .setting("roles_claim", "groups")
}

fn asked() -> Result<Verdict, Failure> {
    Oidc::authenticate(RequestHead::new("GET", "/api/v1/hosts"))
}

fn person(fake: FakeHost, claims: Value) -> Principal {
    let _ = fake.sent_token("oidc", Place::Bearer, claims);
    match asked() {
        Ok(Verdict::Authenticated(person)) => person,
        other => panic!("not authenticated: {other:?}"),
    }
}

fn rejection(fake: FakeHost, claims: Value) -> String {
    let _ = fake.sent_token("oidc", Place::Bearer, claims);
    match asked() {
        Ok(Verdict::Rejected(why)) => why,
        other => panic!("not rejected: {other:?}"),
    }
}

#[test]
fn the_claims_make_the_whole_person() {
    let ann = person(
        host(),
        json!({"sub": "7", "email": "ann@x", "email_verified": true, "name": "Änn", "picture": "https://x/a.png",
            "groups": ["sre", "SRE", "Platform Team"]}),
    );
    assert_eq!(ann.subject, "7");
    assert_eq!(ann.email.as_deref(), Some("ann@x"));
    assert_eq!(ann.name.as_deref(), Some("Änn"));
    assert_eq!(ann.avatar_url.as_deref(), Some("https://x/a.png"));
    assert_eq!(ann.roles, ["sre", "Platform Team"], "of two spellings the first stays");
    assert_eq!(person(host(), json!({"sub": "7", "name": "", "groups": null})), Principal::new("7"));
}

#[test]
fn roles_are_where_each_issuer_puts_them() {
    let cases = [
        ("Keycloak, realm", "realm_access.roles", json!({"realm_access": {"roles": ["sre"]}})),
        ("Keycloak, client", "resource_access.chm.roles", json!({"resource_access": {"chm": {"roles": ["sre"]}}})),
        ("Dex, Authentik, Okta", "groups", json!({"groups": ["sre"]})),
        ("Entra", "roles", json!({"roles": ["sre"]})),
        ("Auth0", "https://example.org/roles", json!({"https://example.org/roles": ["sre"]})),
        ("Zitadel", "urn:zitadel:iam:org:project:roles", json!({"urn:zitadel:iam:org:project:roles": {"sre": {}}})),
        ("one text", "role", json!({"role": "sre"})),
        ("several claims", "none,groups, roles", json!({"groups": ["sre"], "roles": "SRE"})),
    ];
    for (what, path, mut claims) in cases {
        claims["sub"] = "7".into();
        assert_eq!(person(host().setting("roles_claim", path), claims).roles, ["sre"], "{what}");
    }
}

#[test]
fn a_person_without_a_subject_does_not_enter() {
    for claims in [json!({}), json!({"sub": ""}), json!({"sub": 7}), json!({"sub": null}), json!({"sub": ["a"]})] {
        assert!(rejection(host(), claims).contains("subject_claim"));
    }
    let other = host().setting("subject_claim", "user.id");
    assert_eq!(person(other, json!({"sub": "7", "user": {"id": "ann"}})).subject, "ann");
}

#[test]
fn an_address_that_nobody_verified_is_nobodys() {
    for flag in [json!(false), json!("false"), json!(null), json!(0)] {
        let claims = json!({"sub": "7", "email": "boss@x", "email_verified": flag});
        assert_eq!(person(host(), claims.clone()).email, None, "{flag}");
        assert!(rejection(host().setting("subject_claim", "email"), claims).contains("not verified"), "{flag}");
    }
    for flag in [json!(true), json!("true")] {
        let claims = json!({"sub": "7", "email": "ann@x", "email_verified": flag});
        assert_eq!(person(host().setting("subject_claim", "email"), claims).subject, "ann@x");
    }
    let unsaid = json!({"sub": "7", "email": "ann@x"});
    assert_eq!(person(host(), unsaid).email.as_deref(), Some("ann@x"), "an issuer need not say");
}

#[test]
fn the_group_gate_admits_members_in_any_spelling() {
    let cases: [(Option<&str>, Value, bool); 6] = [
        (None, json!([]), true),
        (Some("sre,admin"), json!(["SRE"]), true),
        (Some("Platform Team"), json!(["platform team"]), true),
        (Some("sre"), json!(["sre-readonly", "dev"]), false),
        (Some("sre"), json!(null), false),
        (Some(","), json!(["sre"]), false),
    ];
    for (allowed, groups, enters) in cases {
        let mut fake = host();
        if let Some(allowed) = allowed {
            fake = fake.setting("allowed_groups", allowed);
        }
        let claims = json!({"sub": "7", "groups": groups});
        if enters {
            assert_eq!(person(fake, claims).subject, "7");
        } else {
            assert!(rejection(fake, claims).contains("allowed groups"), "{allowed:?} {groups}");
        }
    }
}

#[test]
fn tokens_of_others_are_left_to_others_and_bad_ones_are_rejected() {
    let _ = host();
    assert_eq!(asked(), Ok(Verdict::NoCredentials), "no bearer token at all");
    let answer = |error: JwtError| {
        let _ = host().sent_token_error("oidc", Place::Bearer, error);
        asked()
    };
    assert_eq!(answer(JwtError::Foreign("another `iss`".into())), Ok(Verdict::NoCredentials));
    assert!(
        matches!(answer(JwtError::Invalid("it has expired".into())), Ok(Verdict::Rejected(why)) if why.ends_with("it has expired"))
    );
    assert!(matches!(answer(JwtError::Unavailable("no keys".into())), Err(Failure::Unavailable(_))));
}

#[test]
fn an_issuer_that_is_not_granted_or_not_configured_fails_closed() {
    let _ = FakeHost::new();
    assert!(matches!(asked(), Err(Failure::Denied(_))));
    let _ = FakeHost::new().unset_issuer("oidc");
    assert!(matches!(asked(), Err(Failure::Internal(_))));
}
