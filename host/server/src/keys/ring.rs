//! Which keys are valid.

use std::sync::Arc;

use chm_access::{KeySecrets, VerifiedKey};
use chm_store::Store;

use super::liveness::Liveness;
use super::usage::Usage;

/// Verifies keys: signature, form and time first, then what the store says of the id. Fails closed: without the store's word, a key
/// with an id is refused.
#[derive(Debug)]
pub struct KeyRing {
    secrets: KeySecrets,
    accept_unlisted: bool,
    listed: Option<(Liveness, Arc<Usage>)>,
}

impl KeyRing {
    /// With the secrets, and the store that knows the keys. `accept_unlisted`: whether keys without an id are accepted, which no
    /// store knows.
    #[must_use]
    pub fn new(secrets: KeySecrets, accept_unlisted: bool, store: Option<Store>) -> Self {
        let listed = store.map(|store| (Liveness::new(store.clone()), Usage::start(store)));
        Self { secrets, accept_unlisted, listed }
    }

    /// The key, if it is valid at `now`, in seconds since the Unix epoch.
    pub async fn verify(&self, token: &str, now: i64) -> Option<VerifiedKey> {
        let signed = match self.secrets.verify(token, now) {
            Ok(signed) => signed,
            Err(refusal) => {
                tracing::debug!(%refusal, "an API key is refused");
                return None;
            }
        };
        let Some(id) = signed.id() else {
            return signed.unlisted().filter(|_| self.accept_unlisted);
        };
        let (liveness, usage) = self.listed.as_ref()?;
        if !liveness.is_live(id, now).await {
            tracing::debug!(key = id, "an API key is refused: it was revoked, or nobody knows it");
            return None;
        }
        usage.note(id, now);
        Some(signed.listed())
    }

    /// Writes down what waits to be, at the end.
    pub async fn flush(&self) {
        if let Some((_, usage)) = &self.listed {
            usage.flush().await;
        }
    }
}
