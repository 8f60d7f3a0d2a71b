//! Right credentials are remembered for a while, as digests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long right credentials are remembered.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many right credentials are remembered.
const MAX_REMEMBERED: usize = 1024;

/// A digest under a key that only this process has.
pub(super) type Digest = [u8; 32];

/// Right credentials that were seen lately.
pub(super) struct Memory {
    key: [u8; 32],
    seen: Mutex<HashMap<Digest, Instant>>,
}

impl Memory {
    /// Empty, with a key that only this process has.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, seen: Mutex::default() }
    }

    pub(super) fn digest(&self, parts: &[&str]) -> Option<Digest> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for part in parts {
            // With its length, so that no two lists of parts are one text.
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac.finalize().into_bytes().into())
    }

    pub(super) fn knows(&self, digest: &Digest) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(digest).is_some_and(|when| when.elapsed() < REMEMBERED)
    }

    pub(super) fn learn(&self, digest: Digest) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_REMEMBERED {
            seen.retain(|_, when| when.elapsed() < REMEMBERED);
        }
        if seen.len() < MAX_REMEMBERED {
            seen.insert(digest, Instant::now());
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}
