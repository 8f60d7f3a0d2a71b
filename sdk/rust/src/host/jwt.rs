//! Verifies tokens against an issuer that the operator configured by name.

use super::imports;
pub use crate::bindings::imports::chm::plugin::jwt::JwtError;

/// Checks signature, algorithm, audience and times; returns the claims as a JSON object.
///
/// # Errors
/// [`JwtError`]: not granted, not a valid token, or the issuer's keys cannot be had.
pub fn verify(issuer: &str, token: &str) -> Result<String, JwtError> {
    imports::jwt::verify(issuer, token)
}
