//! Signs people in by a bearer token of any OpenID Connect issuer.

mod claim;
mod identity;

use chm_plugin::auth::{Description, RequestHead, Verdict};
use chm_plugin::host::jwt::{self, JwtError, Place};
use chm_plugin::{AuthProvider, Failure};

/// The issuer's name in `plugin.toml`.
const ISSUER: &str = "oidc";

/// The provider `oidc`.
pub struct Oidc;

impl AuthProvider for Oidc {
    fn describe() -> Description {
        Description::new("An OpenID Connect issuer has signed people in; their bearer token says who they are.")
    }

    fn authenticate(_: RequestHead) -> Result<Verdict, Failure> {
        Ok(match jwt::verify_sent(ISSUER, Place::Bearer) {
            Ok(Some(claims)) => identity::judge(&claims)?,
            Ok(None) | Err(JwtError::Foreign(_)) => Verdict::NoCredentials,
            Err(JwtError::Invalid(reason)) => Verdict::Rejected(format!("the token is refused: {reason}")),
            // Not granted, not configured, or no keys: nobody's fault who asks, and nobody enters.
            Err(error) => return Err(error.into()),
        })
    }
}

chm_plugin::export!(auth_provider: Oidc);
