//! Making and ending keys.

use chm_access::{KeyClaims, KeyRefusal, KeySecrets};
use chm_store::{Cursor, Key, NewKey, Outcome, Page, Revocation, Rotation, Store, StoreError};
use serde_json::json;

use super::now;
use super::wish::{InvalidWish, KeyWish, check_days};
use crate::audit::Circumstances;

const DAY: i64 = 86_400;
/// Longest that an old key and its successor may be valid together, in seconds.
const LONGEST_OVERLAP: u32 = 7 * 86_400;

/// Makes, lists and ends keys, each with its entry in the audit log.
#[derive(Debug, Clone)]
pub struct KeyDesk {
    secrets: KeySecrets,
    store: Store,
}

/// A key that was made. The token is shown once, and kept nowhere.
pub struct Minted {
    /// The token.
    pub token: String,
    /// What is kept of it.
    pub key: NewKey,
    /// For how long.
    pub days: u32,
}

/// Why a key could not be made or ended.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The wish is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidWish),
    /// There is no such key.
    #[error("there is no key with the id `{}`", .0.escape_debug())]
    Unknown(String),
    /// It cannot be rotated.
    #[error("the key `{0}` has ended, or has a successor already")]
    Ended(String),
    /// Too long.
    #[error("overlapSeconds must be an integer from 0 to {LONGEST_OVERLAP}")]
    Overlap,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyDesk {
    /// With the secrets and the store.
    #[must_use]
    pub fn new(secrets: KeySecrets, store: Store) -> Self {
        Self { secrets, store }
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When it would be too long, or cannot be kept.
    pub async fn mint(&self, wish: &KeyWish, by: &Circumstances) -> Result<Minted, KeyError> {
        let scopes = wish.scopes.names();
        let minted = self.sign(&wish.subject, scopes, wish.roles.clone(), wish.days, by)?;
        let entry = by.entry("key.mint", Outcome::Done, Some(&minted.key.id), about(&minted.key));
        self.store.insert_key(&minted.key, &entry).await?;
        Ok(minted)
    }

    /// Keys, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, limit: u32, cursor: Option<&Cursor>) -> Result<Page<Key>, KeyError> {
        Ok(self.store.keys(limit, cursor).await?)
    }

    /// Ends a key at once. One that was revoked before stays as it is.
    ///
    /// # Errors
    /// When there is no such key, or the store fails.
    pub async fn revoke(&self, id: &str, by: &Circumstances) -> Result<Key, KeyError> {
        let entry = by.entry("key.revoke", Outcome::Done, Some(id), json!({}));
        match self.store.revoke_key(id, &by.who(), now(), &entry).await? {
            Revocation::Revoked(key) | Revocation::Already(key) => Ok(key),
            Revocation::Unknown => Err(KeyError::Unknown(id.to_owned())),
        }
    }

    /// Makes a successor that may do the same, for `days` or as long as the old key was made for, and ends the old one after
    /// `overlap` seconds.
    ///
    /// # Errors
    /// When there is no such key, it has ended or was rotated before, a number is out of bounds, or the store fails.
    pub async fn rotate(
        &self,
        id: &str,
        overlap: i64,
        days: Option<i64>,
        by: &Circumstances,
    ) -> Result<Minted, KeyError> {
        let overlap = u32::try_from(overlap).ok().filter(|overlap| *overlap <= LONGEST_OVERLAP);
        let overlap = overlap.ok_or(KeyError::Overlap)?;
        let old = self.store.key(id).await?.ok_or_else(|| KeyError::Unknown(id.to_owned()))?;
        let lifetime = (old.expires_at.saturating_sub(old.created_at)).saturating_add(DAY - 1) / DAY;
        let days = match days {
            Some(days) => check_days(days).ok_or(InvalidWish::Days)?,
            None => check_days(lifetime.clamp(1, 365)).ok_or(InvalidWish::Days)?,
        };
        let minted = self.sign(&old.subject, old.scopes, old.roles, days, by)?;
        let mut details = about(&minted.key);
        (details["successor"], details["overlapSeconds"]) = (json!(minted.key.id), json!(overlap));
        let entry = by.entry("key.rotate", Outcome::Done, Some(id), details);
        match self.store.rotate_key(id, &minted.key, overlap, &entry).await? {
            Rotation::Rotated(_) => Ok(minted),
            Rotation::Ended(_) => Err(KeyError::Ended(id.to_owned())),
            Rotation::Unknown => Err(KeyError::Unknown(id.to_owned())),
        }
    }

    fn sign(
        &self,
        subject: &str,
        scopes: Vec<String>,
        roles: Vec<String>,
        days: u32,
        by: &Circumstances,
    ) -> Result<Minted, KeyError> {
        let created_at = now();
        let key = NewKey {
            id: ulid::Ulid::new().to_string().to_ascii_lowercase(),
            subject: subject.to_owned(),
            scopes,
            roles,
            created_at,
            created_by: by.who(),
            expires_at: created_at + i64::from(days) * DAY,
        };
        let claims = KeyClaims {
            subject: key.subject.clone(),
            issued_at: Some(created_at),
            expires_at: key.expires_at,
            id: Some(key.id.clone()),
            scopes: Some(key.scopes.clone()),
            roles: key.roles.clone(),
        };
        let token = self.secrets.mint(&claims).map_err(|refusal| match refusal {
            KeyRefusal::TooLong => InvalidWish::TooLong,
            _ => InvalidWish::Label,
        })?;
        Ok(Minted { token, key, days })
    }
}

/// Removes keys that ended more than `days` days ago, and says how many. Needs no secret: what has ended is not signed again.
pub(crate) async fn prune(store: &Store, days: u32, by: &Circumstances) -> Result<u64, StoreError> {
    let before = now().saturating_sub(i64::from(days) * DAY);
    let entry =
        |removed| by.entry("key.prune", Outcome::Done, None, json!({"removed": removed, "olderThanDays": days}));
    store.prune_keys(before, entry).await
}

fn about(key: &NewKey) -> serde_json::Value {
    json!({"subject": key.subject, "scopes": key.scopes, "roles": key.roles, "expiresAt": key.expires_at})
}
