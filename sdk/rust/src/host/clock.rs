//! Time. Always granted.

use super::imports;

/// Milliseconds since the Unix epoch.
#[must_use]
pub fn now() -> f64 {
    imports::clock::now()
}
