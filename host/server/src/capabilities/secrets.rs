//! A plugin's secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chm_access::Secret;
use chm_sandbox::bindings::secrets::{BasicOutcome, SecretError};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::passwords::Passwords;
use super::secret_file::SecretFile;

/// Where a secret's value is.
enum Value {
    Fixed(Arc<Secret>),
    File(SecretFile),
}

/// The secrets of one plugin, by the names of its settings. They can be used, not read.
#[derive(Default)]
pub struct SecretStore {
    secrets: BTreeMap<String, Value>,
    passwords: Passwords,
}

impl SecretStore {
    /// An empty value counts as none: an empty secret would equal an empty header.
    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let hidden = values.into_iter().map(|(name, value)| (name, Secret::new(value)));
        let filled = hidden.filter(|(_, secret)| !secret.is_empty());
        Self {
            secrets: filled.map(|(name, secret)| (name, Value::Fixed(Arc::new(secret)))).collect(),
            passwords: Passwords::default(),
        }
    }

    /// Adds secrets that stand in files. Such a secret is set for as long as the process runs, and equals nothing while its file
    /// cannot be used.
    #[must_use]
    pub fn with_files(mut self, files: impl IntoIterator<Item = (String, SecretFile)>) -> Self {
        self.secrets.extend(files.into_iter().map(|(name, file)| (name, Value::File(file))));
        self
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
        Ok(self.get(name)?.is_some_and(|secret| secret.equals(candidate)))
    }

    /// HMAC-SHA-256 with the secret as key: 32 bytes.
    ///
    /// # Errors
    /// [`SecretError::Unset`] if it has no value.
    pub fn hmac_sha256(&self, name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
        let secret = self.get(name)?.ok_or(SecretError::Unset)?;
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
        let file = self.get(name)?;
        Ok(self.passwords.check(name, file.as_ref(), authorization).await)
    }

    /// The value, absent while its file cannot be used.
    fn get(&self, name: &str) -> Result<Option<Arc<Secret>>, SecretError> {
        match self.secrets.get(name) {
            Some(Value::Fixed(secret)) => Ok(Some(secret.clone())),
            Some(Value::File(file)) => Ok(file.current()),
            None => Err(SecretError::Unset),
        }
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
    fn a_secret_in_a_file_is_set_and_used_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "hunter2\n").unwrap();
        let store = SecretStore::default().with_files([("token".to_owned(), SecretFile::open(&path).unwrap())]);
        assert!(store.is_set("token"));
        assert!(store.equals("token", "hunter2").unwrap());
        assert!(!store.equals("token", "hunter2\n").unwrap());
    }

    #[test]
    fn nothing_printed_contains_a_secret() {
        let text = format!("{:?}", store());
        assert!(text.contains("token"));
        assert!(!text.contains("hunter2") && !text.contains("Jefe"), "{text}");
    }
}
