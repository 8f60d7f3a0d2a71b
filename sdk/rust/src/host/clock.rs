//! Time. Always granted.

use super::imports;

/// Milliseconds since the Unix epoch; [`crate::time`] writes them.
#[must_use]
pub fn now() -> f64 {
    imports::clock::now()
}
