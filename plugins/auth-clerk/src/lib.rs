//! Signs people in by the session tokens of Clerk, and programs by its OAuth tokens.

mod bearer;
mod cache;
mod grant;
mod introspection;
mod organization;
mod outage;
mod party;
mod session;

use chm_plugin::auth::{Description, RequestHead, Verdict};
use chm_plugin::host::jwt::Place;
use chm_plugin::host::{config, secrets};
use chm_plugin::{AuthProvider, Failure};

/// The issuer's name in `plugin.toml`.
const ISSUER: &str = "clerk";
/// The setting with the instance's secret key.
const SECRET_KEY: &str = "secret_key";
/// Where Clerk keeps the session token in the browser.
const COOKIE: &str = "__session";

/// The provider `clerk`.
pub struct Clerk;

impl AuthProvider for Clerk {
    fn describe() -> Description {
        Description::new("Clerk has signed people in; their session token or OAuth token says who they are.")
    }

    fn authenticate(head: RequestHead) -> Result<Verdict, Failure> {
        let has_secret = secrets::is_set(SECRET_KEY)?;
        if !has_secret && !config::boolean("networkless") {
            return Err(Failure::internal(
                "nobody can sign in: set secret_key (CLERK_SECRET_KEY), or public_key of [issuers.clerk] (CLERK_JWT_KEY)",
            ));
        }
        let takes_oauth = has_secret && config::boolean("oauth_tokens");
        // What a client says of itself comes before what its browser adds: with a bearer token the cookie does not count.
        match bearer::token(&head) {
            Some(token) if takes_oauth && introspection::is_for_clerk(token) => introspection::judge(token),
            Some(_) => session::judge(Place::Bearer, takes_oauth),
            None => session::judge(Place::Cookie(COOKIE.into()), false),
        }
    }
}

chm_plugin::export!(auth_provider: Clerk);
