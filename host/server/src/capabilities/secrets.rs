//! A plugin's secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chm_access::Secret;
use chm_sandbox::bindings::secrets::{BasicOutcome, SecretError};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::passwords::Passwords;

/// The secrets of one plugin, by the names of its settings. They can be used, not read.
#[derive(Default)]
pub struct SecretStore {
    secrets: BTreeMap<String, Arc<Secret>>,
    passwords: Passwords,
}

impl SecretStore {
    /// An empty value counts as none: an empty secret would equal an empty header.
    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let hidden = values.into_iter().map(|(name, value)| (name, Arc::new(Secret::new(value))));
        Self { secrets: hidden.filter(|(_, secret)| !secret.is_empty()).collect(), passwords: Passwords::default() }
    }

    /// Whether the operator gave it a value.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.secrets.contains_key(name)
    }

    /// Compares in constant time. Digests are compared, so the time tells nothing about the secret's length either.
    ///
    /// # Errors
    /// [`SecretError::Unset`] if it has no value.
    pub fn equals(&self, name: &str, candidate: impl AsRef<[u8]>) -> Result<bool, SecretError> {
        Ok(self.get(name)?.equals(candidate))
    }

    /// HMAC-SHA-256 with the secret as key: 32 bytes.
    ///
    /// # Errors
    /// [`SecretError::Unset`] if it has no value.
    pub fn hmac_sha256(&self, name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
        let secret = self.get(name)?;
        // HMAC takes keys of any length; were it otherwise, the secret would be unusable, which is what `Unset` says.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|_| SecretError::Unset)?;
        mac.update(message);
        Ok(mac.finalize().into_bytes().to_vec())
    }

    /// Checks the credentials of an `Authorization` header against the password file that the secret is.
    ///
    /// # Errors
    /// [`SecretError::Unset`] if it has no value.
    pub async fn basic(&self, name: &str, authorization: Option<&str>) -> Result<BasicOutcome, SecretError> {
        Ok(self.passwords.check(name, self.get(name)?, authorization).await)
    }

    fn get(&self, name: &str) -> Result<&Arc<Secret>, SecretError> {
        self.secrets.get(name).ok_or(SecretError::Unset)
    }
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.secrets.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> SecretStore {
        SecretStore::new([
            ("token".to_owned(), "hunter2".to_owned()),
            ("empty".to_owned(), String::new()),
            ("rfc".to_owned(), "Jefe".to_owned()),
        ])
    }

    #[test]
    fn a_secret_equals_only_itself() {
        let store = store();
        assert!(store.equals("token", "hunter2").unwrap());
        for candidate in ["", "hunter", "hunter22", "Hunter2", "hunter2\0"] {
            assert!(!store.equals("token", candidate).unwrap(), "{candidate:?}");
        }
        assert!(!store.equals("token", [0xff, 0xfe]).unwrap());
    }

    #[test]
    fn an_empty_or_absent_secret_is_unset_and_equals_nothing() {
        let store = store();
        for name in ["empty", "absent"] {
            assert!(!store.is_set(name));
            assert!(matches!(store.equals(name, ""), Err(SecretError::Unset)));
            assert!(matches!(store.hmac_sha256(name, b""), Err(SecretError::Unset)));
        }
    }

    #[test]
    fn the_mac_is_that_of_rfc_4231_case_2() {
        let mac = store().hmac_sha256("rfc", b"what do ya want for nothing?").unwrap();
        assert_eq!(hex::encode(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn nothing_printed_contains_a_secret() {
        let text = format!("{:?}", store());
        assert!(text.contains("token"));
        assert!(!text.contains("hunter2") && !text.contains("Jefe"), "{text}");
    }
}
