//! Uses secrets without seeing them. Names are those of the settings of type `secret` in `plugin.toml`.

use super::imports;
use crate::Failure;
pub use crate::bindings::imports::chm::plugin::secrets::{BasicOutcome, SecretError};

/// Whether the operator gave a value.
///
/// # Errors
/// [`SecretError::Denied`] when it was not granted.
pub fn is_set(name: &str) -> Result<bool, SecretError> {
    imports::secrets::is_set(name)
}

/// Compares in constant time.
///
/// # Errors
/// [`SecretError`] when it was not granted or has no value.
pub fn equals(name: &str, candidate: &str) -> Result<bool, SecretError> {
    imports::secrets::equals(name, candidate)
}

/// Compares a header of the request being authenticated, in constant time; false when the request has no such header.
///
/// # Errors
/// [`SecretError`] when it was not granted or has no value.
pub fn header_equals(name: &str, header: &str) -> Result<bool, SecretError> {
    imports::secrets::header_equals(name, header)
}

/// Whether the request being authenticated carries a header that the manifest names, sealed or not; an empty one counts as absent.
#[must_use]
pub fn header_present(header: &str) -> bool {
    imports::secrets::header_present(header)
}

/// Checks the `Basic` credentials of the request being authenticated against a password file: the secret's lines are
/// `user:bcrypt-hash`. The manifest names `authorization`, sealed or not.
///
/// # Errors
/// [`SecretError`] when it was not granted or has no value.
pub fn basic(name: &str) -> Result<BasicOutcome, SecretError> {
    imports::secrets::basic(name)
}

/// HMAC-SHA-256 with the secret as key: 32 bytes.
///
/// # Errors
/// [`SecretError`] when it was not granted or has no value.
pub fn hmac_sha256(name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
    imports::secrets::hmac_sha256(name, message)
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Denied(reason) => Self::Denied(reason),
            SecretError::Unset => Self::internal("a secret that this call needs has no value; the operator sets it"),
        }
    }
}
