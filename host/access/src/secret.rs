//! Text that must never be shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What stands for a secret wherever one would be shown.
pub const HIDDEN: &str = "<hidden>";

/// A secret text: its `Debug`, `Display` and serialised forms are [`HIDDEN`]; only [`Secret::expose`] gives it away.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it or signs with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty. An empty secret protects nothing: treat it as unset.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares in constant time. Both sides are hashed first, so that not even the length shows.
    ///
    /// An empty secret equals nothing, not even an empty candidate.
    pub fn equals(&self, candidate: impl AsRef<[u8]>) -> bool {
        !self.is_empty() && equal_digests(self.0.as_bytes(), candidate.as_ref())
    }
}

/// Compares the SHA-256 digests of two byte strings in constant time.
pub(crate) fn equal_digests(left: &[u8], right: &[u8]) -> bool {
    Sha256::digest(left).as_slice().ct_eq(Sha256::digest(right).as_slice()).into()
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        equal_digests(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rendering_shows_the_secret() {
        let secret = Secret::new("hunter2");
        let json = serde_json::to_string(&secret).unwrap();
        for text in [format!("{secret}"), format!("{secret:?}"), format!("{secret:#?}"), json] {
            assert!(text.contains(HIDDEN) && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn only_the_same_text_equals() {
        let secret = Secret::new("hunter2");
        assert!(secret.equals("hunter2"));
        for other in ["", "hunter", "hunter22", "Hunter2", " hunter2"] {
            assert!(!secret.equals(other), "{other:?}");
        }
    }

    #[test]
    fn an_empty_secret_equals_nothing() {
        assert!(!Secret::new("").equals(""));
    }
}
