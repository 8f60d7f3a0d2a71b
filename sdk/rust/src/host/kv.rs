//! A small store of the plugin's own, shared by all its calls. A cache: the host may forget it when it restarts.

use super::imports;
use crate::Failure;
pub use crate::bindings::imports::chm::plugin::kv::KvError;

/// The value under a key.
///
/// # Errors
/// [`KvError::Denied`] when no store was granted.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, KvError> {
    imports::kv::get(key)
}

/// Writes a value.
///
/// # Errors
/// [`KvError::Denied`] when no store was granted, [`KvError::Full`] when it would exceed the granted bytes.
pub fn set(key: &str, value: &[u8]) -> Result<(), KvError> {
    imports::kv::set(key, value)
}

/// Removes a key, where it exists.
///
/// # Errors
/// [`KvError::Denied`] when no store was granted.
pub fn delete(key: &str) -> Result<(), KvError> {
    imports::kv::delete(key)
}

impl From<KvError> for Failure {
    fn from(error: KvError) -> Self {
        match error {
            KvError::Denied(reason) => Self::Denied(reason),
            KvError::Full => Self::internal("the store is full; the operator grants its bytes as `kv`"),
        }
    }
}
