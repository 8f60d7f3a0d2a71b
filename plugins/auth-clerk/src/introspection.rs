//! OAuth tokens that say nothing themselves: Clerk is asked, and its word is kept for a short while.

use chm_plugin::Failure;
use chm_plugin::auth::Verdict;
use chm_plugin::host::http::{self, HttpError};
use chm_plugin::host::{config, secrets};
use serde_json::json;

use crate::grant::Grant;
use crate::{SECRET_KEY, cache, outage};

/// The endpoint's name in `plugin.toml`.
const ENDPOINT: &str = "clerk-api";
/// What says what a token is worth.
const VERIFY: &str = "/oauth_applications/access_tokens/verify";
/// Longest token that is sent, in bytes.
const LONGEST: usize = 512;
/// Keeps this use of the secret key apart from any other.
const PURPOSE: &[u8] = b"oauth-token:";

/// Whether Clerk may see this token. Keys of this host and tokens of others must not reach it.
pub(crate) fn is_for_clerk(token: &str) -> bool {
    config::get("oauth_prefix").is_some_and(|prefix| token.starts_with(&prefix))
        && token.len() <= LONGEST
        && is_plain(token)
}

/// Judges a token that is for Clerk.
pub(crate) fn judge(token: &str) -> Result<Verdict, Failure> {
    let tag = secrets::hmac_sha256(SECRET_KEY, &[PURPOSE, token.as_bytes()].concat())?;
    if let Some(grant) = cache::get(&tag)? {
        return Ok(grant.judge());
    }
    if outage::lasts()? {
        return Err(Failure::unavailable("Clerk's API did not answer a moment ago"));
    }
    let sent =
        http::post().path(VERIFY).json(&json!({"access_token": token})).and_then(|request| request.send(ENDPOINT));
    // Who waits for an API that is down keeps others from being asked about.
    if matches!(&sent, Err(HttpError::Timeout | HttpError::Unreachable(_)))
        || sent.as_ref().is_ok_and(|response| response.status >= 500)
    {
        outage::begins()?;
    }
    let response = sent.map_err(failure)?;
    match response.status {
        200..=299 => {}
        400 | 404 | 422 => return Ok(Verdict::Rejected("the OAuth token is refused: Clerk does not know it".into())),
        401 | 403 => return Err(Failure::internal("Clerk refuses the secret key (CLERK_SECRET_KEY)")),
        status => return Err(Failure::unavailable(format!("Clerk's API answered with status {status}"))),
    }
    let grant: Grant = serde_json::from_slice(&response.body)
        .map_err(|_| Failure::unavailable("Clerk's API answered with something else than it promises"))?;
    let verdict = grant.judge();
    if matches!(verdict, Verdict::Authenticated(_)) {
        cache::put(&tag, &grant)?;
    }
    Ok(verdict)
}

/// The letters of a bearer token (RFC 6750 §2.1), and no dots: with them it could be a JWT.
fn is_plain(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~+/=".contains(&byte))
}

fn failure(error: HttpError) -> Failure {
    match error {
        HttpError::Denied(reason) => Failure::Denied(reason),
        HttpError::Invalid(reason) => Failure::Internal(reason),
        HttpError::TooLarge => Failure::unavailable("Clerk's API answered with too much"),
        HttpError::Timeout => Failure::unavailable("Clerk's API did not answer in time"),
        HttpError::Unreachable(reason) => Failure::unavailable(format!("Clerk's API cannot be reached: {reason}")),
    }
}
