//! Entropy from the operating system. Always granted.

use super::imports;

/// So many random bytes; at most 1024 a call.
#[must_use]
pub fn bytes(length: u32) -> Vec<u8> {
    imports::random::bytes(length)
}
