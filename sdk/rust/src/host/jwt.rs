//! Verifies tokens against an issuer that the operator configured by name.

use super::imports;
use crate::Failure;
pub use crate::bindings::imports::chm::plugin::jwt::{JwtError, Place};

/// Whether the operator configured an issuer of that name.
///
/// # Errors
/// [`JwtError::Denied`] when it was not granted.
pub fn configured(issuer: &str) -> Result<bool, JwtError> {
    imports::jwt::configured(issuer)
}

/// Checks signature, algorithm, audience and times; returns the claims as a JSON object.
///
/// # Errors
/// [`JwtError`]: not granted, not a valid token, or the issuer's keys cannot be had.
pub fn verify(issuer: &str, token: &str) -> Result<String, JwtError> {
    imports::jwt::verify(issuer, token)
}

/// Verifies the token that the request being authenticated carries, which the plugin need not see: name the header or cookie in
/// `sealed_headers` or `sealed_cookies` of the manifest. Returns the claims as a JSON object, or nothing when the request has no
/// token there.
///
/// # Errors
/// [`JwtError`]: as [`verify`], and [`JwtError::Denied`] for a header or cookie that the manifest does not name.
pub fn verify_sent(issuer: &str, place: Place) -> Result<Option<String>, JwtError> {
    imports::jwt::verify_sent(issuer, &place)
}

impl From<JwtError> for Failure {
    /// For those errors that are not about the token: `foreign` and `invalid` are verdicts, and a plugin that gives none of its
    /// own fails.
    fn from(error: JwtError) -> Self {
        match error {
            JwtError::Denied(reason) => Self::Denied(reason),
            JwtError::Unset => {
                Self::internal("an issuer that this call needs is not configured; the operator names it")
            }
            JwtError::Unavailable(reason) => Self::Unavailable(reason),
            JwtError::Foreign(reason) | JwtError::Invalid(reason) => Self::InvalidInput(reason),
        }
    }
}
