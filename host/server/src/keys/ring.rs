//! Which keys are valid.

use std::sync::Arc;

use chm_access::{KeyRefusal, KeySecrets, VerifiedKey};
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

/// What a token is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth {
    /// A valid key.
    Valid(VerifiedKey),
    /// Signed with our secret, and no longer valid, or the store cannot say. Nobody comes upon one by guessing.
    Ended,
    /// No key of ours.
    Nothing,
}

impl KeyRing {
    /// With the secrets, and the store that knows the keys. `accept_unlisted`: whether keys without an id are accepted, which no
    /// store knows.
    #[must_use]
    pub fn new(secrets: KeySecrets, accept_unlisted: bool, store: Option<Store>) -> Self {
        let listed = store.map(|store| (Liveness::new(store.clone()), Usage::start(store)));
        Self { secrets, accept_unlisted, listed }
    }

    /// What a token is worth at `now`, in seconds since the Unix epoch.
    pub async fn verify(&self, token: &str, now: i64) -> Worth {
        let signed = match self.secrets.verify(token, now) {
            Ok(signed) => signed,
            Err(refusal) => {
                tracing::debug!(%refusal, "an API key is refused");
                return if refusal == KeyRefusal::Expired { Worth::Ended } else { Worth::Nothing };
            }
        };
        let Some(id) = signed.id() else {
            return signed.unlisted().filter(|_| self.accept_unlisted).map_or(Worth::Ended, Worth::Valid);
        };
        let Some((liveness, usage)) = self.listed.as_ref() else { return Worth::Ended };
        if !liveness.is_live(id, now).await {
            tracing::debug!(key = id, "an API key is refused: it was revoked, or nobody knows it");
            return Worth::Ended;
        }
        usage.note(id, now);
        Worth::Valid(signed.listed())
    }

    /// Writes down what waits to be, at the end.
    pub async fn flush(&self) {
        if let Some((_, usage)) = &self.listed {
            usage.flush().await;
        }
    }
}
