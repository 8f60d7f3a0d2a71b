//! The way in through Cloudflare Access: it adds a signed token to each request that it lets pass.

use chm_plugin::Failure;
use chm_plugin::auth::Principal;
use chm_plugin::host::config;
use chm_plugin::host::jwt::{self, JwtError, Place};
use serde::Deserialize;

use crate::Answer;

/// The issuer's name in `plugin.toml`.
const ISSUER: &str = "cloudflare";
/// Where Cloudflare puts the token for the server.
const HEADER: &str = "cf-access-jwt-assertion";
/// Where Cloudflare keeps the token in the browser.
const COOKIE: &str = "CF_Authorization";

/// What names the bearer of a token. People have an e-mail address; service tokens have a common name and an empty `sub`.
#[derive(Deserialize)]
struct Claims {
    email: Option<String>,
    sub: Option<String>,
    common_name: Option<String>,
}

/// Asks about the token of this request.
pub(crate) fn ask() -> Result<Answer, Failure> {
    let mut sent = jwt::verify_sent(ISSUER, Place::Header(HEADER.into()));
    if matches!(sent, Ok(None)) && config::boolean("cookie") {
        sent = jwt::verify_sent(ISSUER, Place::Cookie(COOKIE.into()));
    }
    match sent {
        Ok(Some(claims)) => person(&claims),
        Ok(None) | Err(JwtError::Unset) => Ok(Answer::Silent),
        Err(denied @ JwtError::Denied(_)) => Err(denied.into()),
        Err(JwtError::Foreign(reason) | JwtError::Invalid(reason)) => {
            Ok(Answer::Refused(format!("the token of Cloudflare Access is refused: {reason}")))
        }
        Err(JwtError::Unavailable(reason)) => {
            Ok(Answer::Unable(format!("the token of Cloudflare Access cannot be verified: {reason}")))
        }
    }
}

fn person(claims: &str) -> Result<Answer, Failure> {
    let claims: Claims = serde_json::from_str(claims)
        .map_err(|_| Failure::internal("a claim of Cloudflare Access that names the person is not a text"))?;
    let filled = |claim: Option<String>| claim.filter(|text| !text.is_empty());
    let email = filled(claims.email);
    let Some(subject) = email.clone().or(filled(claims.sub)).or(filled(claims.common_name)) else {
        return Ok(Answer::Refused("the token of Cloudflare Access names nobody".into()));
    };
    let mut person = Principal::new(subject);
    person.email = email;
    Ok(Answer::Person(person))
}
