//! A host with the manifest's defaults, and requests to it.

use auth_clerk::Clerk;
use chm_plugin::auth::{Principal, RequestHead, Verdict};
use chm_plugin::host::jwt::Place;
use chm_plugin::testing::FakeHost;
use chm_plugin::{AuthProvider, Failure};

/// An instance of Clerk whose page is at `https://chm.example.org`.
pub fn host() -> FakeHost {
    FakeHost::new()
        .issuer("clerk")
        .secret("secret_key", "sk_test_1")
        .setting("networkless", "false")
        .setting("authorized_parties", "https://chm.example.org")
        .setting("oauth_tokens", "true")
        .setting("oauth_prefix", "oat_")
        .setting("oauth_cache_seconds", "30")
        .kv(262_144)
        .now(1_000_000.0)
}

/// Where the browser has the session token.
pub fn cookie() -> Place {
    Place::Cookie("__session".into())
}

/// A request without anything.
pub fn nothing() -> RequestHead {
    RequestHead::new("GET", "/api/v1/hosts")
}

/// A request with a bearer token.
pub fn bearer(token: &str) -> RequestHead {
    nothing().with_header("authorization", &format!("Bearer {token}"))
}

pub fn asked(head: RequestHead) -> Result<Verdict, Failure> {
    Clerk::authenticate(head)
}

pub fn person(head: RequestHead) -> Principal {
    match asked(head) {
        Ok(Verdict::Authenticated(person)) => person,
        other => panic!("not authenticated: {other:?}"),
    }
}

pub fn rejection(head: RequestHead) -> String {
    match asked(head) {
        Ok(Verdict::Rejected(why)) => why,
        other => panic!("not rejected: {other:?}"),
    }
}
