//! What the provider answers to session tokens.

use chm_plugin::Failure;
use chm_plugin::auth::{Principal, Verdict};
use chm_plugin::host::jwt::{JwtError, Place};
use chm_plugin::testing::FakeHost;
use serde_json::json;

use crate::host::{asked, bearer, cookie, host, nothing, person, rejection};

const PAGE: &str = "https://chm.example.org";

#[test]
fn the_cookie_or_a_bearer_token_names_the_person() {
    let claims = json!({"sub": "user_7", "azp": PAGE, "email": "ann@x", "name": "Ann", "sid": "sess_1"});
    for (place, head) in [(cookie(), nothing()), (Place::Bearer, bearer("e.y.j"))] {
        let _ = host().sent_token("clerk", place, claims.clone());
        let ann = person(head);
        assert_eq!(ann.subject, "user_7");
        assert_eq!((ann.email.as_deref(), ann.name.as_deref()), (Some("ann@x"), Some("Ann")));
        assert!(ann.roles.is_empty());
    }
}

#[test]
fn a_bearer_token_decides_alone() {
    let with_cookie = || host().sent_token("clerk", cookie(), json!({"sub": "user_7", "azp": PAGE}));
    let _ = with_cookie().sent_token_error("clerk", Place::Bearer, JwtError::Invalid("it has expired".into()));
    assert!(rejection(bearer("e.y.j")).ends_with("it has expired"));
    let _ = with_cookie().sent_token_error("clerk", Place::Bearer, JwtError::Foreign("no JWT".into()));
    assert_eq!(asked(bearer("chm_key")), Ok(Verdict::NoCredentials), "another provider may know it");
    for other in ["Basic YTpi", "Bearer", "Bearer ", "oat_1"] {
        let _ = with_cookie();
        let head = nothing().with_header("authorization", other);
        assert_eq!(person(head).subject, "user_7", "`{other}` is no bearer token, so the cookie counts");
    }
}

#[test]
fn only_a_page_of_ours_may_have_made_the_token() {
    // The parties that are configured, the token's, whether it counts.
    let cases = [
        (Some(PAGE), Some(PAGE), true),
        (Some("https://CHM.example.org/"), Some(PAGE), true),
        (Some("https://a.example.org, https://chm.example.org"), Some(PAGE), true),
        (Some(PAGE), None, true),
        (None, None, true),
        (None, Some(PAGE), false),
        (Some(PAGE), Some("https://evil.example.org"), false),
        (Some(PAGE), Some("http://chm.example.org"), false),
        (Some(PAGE), Some("https://chm.example.org.evil.org"), false),
        (Some(PAGE), Some("https://chm.example.org:8443"), false),
        (Some(PAGE), Some(""), false),
    ];
    for (parties, azp, counts) in cases {
        let mut claims = json!({"sub": "user_7"});
        if let Some(azp) = azp {
            claims["azp"] = azp.into();
        }
        let _ = host().setting("authorized_parties", parties.unwrap_or_default()).sent_token("clerk", cookie(), claims);
        match asked(nothing()) {
            Ok(Verdict::Authenticated(_)) => assert!(counts, "{parties:?} {azp:?}"),
            Ok(Verdict::Rejected(why)) => {
                assert!(!counts, "{parties:?} {azp:?}: {why}");
                let advice = if parties.is_some() { "authorized_parties" } else { "CHM_CLERK_AUTHORIZED_PARTIES" };
                assert!(why.contains(advice), "{why}");
            }
            other => panic!("{parties:?} {azp:?}: {other:?}"),
        }
    }
}

#[test]
fn a_session_that_is_pending_or_names_nobody_signs_nobody_in() {
    for claims in [
        json!({"azp": PAGE}),
        json!({"azp": PAGE, "sub": ""}),
        json!({"azp": PAGE, "sub": null}),
        json!({"azp": PAGE, "sub": "user_7", "sts": "pending"}),
    ] {
        let _ = host().sent_token("clerk", cookie(), claims.clone());
        assert!(matches!(asked(nothing()), Ok(Verdict::Rejected(_))), "{claims}");
    }
    let _ = host().sent_token("clerk", cookie(), json!({"azp": PAGE, "sub": "user_7", "sts": "active"}));
    assert_eq!(person(nothing()).subject, "user_7");
    let _ = host().sent_token("clerk", cookie(), json!({"azp": [PAGE], "sub": "user_7"}));
    assert!(matches!(asked(nothing()), Err(Failure::Internal(_))), "claims that are not Clerk's");
}

#[test]
fn roles_come_from_organisations_that_the_operator_names() {
    let first = |id: &str, role: &str| json!({"sub": "user_7", "azp": PAGE, "org_id": id, "org_role": role});
    let second = |id: &str, role: &str| json!({"sub": "user_7", "azp": PAGE, "o": {"id": id, "rol": role, "slg": "x"}});
    for claims in [first("org_1", "org:admin"), second("org_1", "admin")] {
        let _ = host().sent_token("clerk", cookie(), claims.clone());
        assert!(person(nothing()).roles.is_empty(), "anybody may found an organisation and be its admin");
        let _ = host().setting("organizations", "org_0,org_1").sent_token("clerk", cookie(), claims);
        assert_eq!(person(nothing()).roles, ["org:admin"]);
    }
    for claims in [first("org_2", "org:admin"), second("org_2", "admin"), json!({"sub": "user_7", "azp": PAGE})] {
        let _ = host().setting("organizations", "org_1").sent_token("clerk", cookie(), claims.clone());
        assert!(rejection(nothing()).contains("organisations"), "{claims}");
    }
}

#[test]
fn tokens_of_others_are_left_to_others_and_bad_ones_are_rejected() {
    let _ = host();
    assert_eq!(asked(nothing()), Ok(Verdict::NoCredentials));
    let answer = |error: JwtError| {
        let _ = host().sent_token_error("clerk", cookie(), error);
        asked(nothing())
    };
    assert_eq!(answer(JwtError::Foreign("another site's cookie".into())), Ok(Verdict::NoCredentials));
    assert!(matches!(answer(JwtError::Invalid("its signature is wrong".into())), Ok(Verdict::Rejected(_))));
    assert!(matches!(answer(JwtError::Unavailable("no keys".into())), Err(Failure::Unavailable(_))));
}

#[test]
fn without_the_secret_key_nobody_signs_in_unless_a_public_key_stands_in() {
    let token =
        || host().unset_secret("secret_key").sent_token("clerk", cookie(), json!({"sub": "user_7", "azp": PAGE}));
    let _ = token();
    assert!(matches!(asked(nothing()), Err(Failure::Internal(why)) if why.contains("CLERK_SECRET_KEY")));
    let _ = token().setting("networkless", "true");
    assert_eq!(person(nothing()), Principal::new("user_7"));
}

#[test]
fn an_issuer_or_secret_that_is_not_there_fails_closed() {
    let _ = host().unset_issuer("clerk");
    assert!(matches!(asked(nothing()), Err(Failure::Internal(_))), "not configured");
    let _ = FakeHost::new().secret("secret_key", "sk");
    assert!(matches!(asked(nothing()), Err(Failure::Denied(_))), "no issuer granted");
    let _ = FakeHost::new().sent_token("clerk", cookie(), json!({"sub": "user_7"}));
    assert!(matches!(asked(nothing()), Err(Failure::Denied(_))), "no secret granted");
}
