//! API keys as the store knows them: what they say, never the token.

use sqlx::FromRow;

use crate::error::StoreError;

/// A key to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its id, the token's `jti`: up to 64 ASCII letters and digits; later ones sort after earlier ones, as ULIDs do.
    pub id: String,
    /// Whom it is for.
    pub subject: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// The roles it carries.
    pub roles: Vec<String>,
    /// When it was made, in seconds since the Unix epoch.
    pub created_at: i64,
    /// Who made it.
    pub created_by: String,
    /// The last second it is valid in, since the Unix epoch.
    pub expires_at: i64,
}

/// A key that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id, the token's `jti`.
    pub id: String,
    /// Whom it is for.
    pub subject: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// The roles it carries.
    pub roles: Vec<String>,
    /// When it was made, in seconds since the Unix epoch.
    pub created_at: i64,
    /// Who made it.
    pub created_by: String,
    /// The last second it is valid in, since the Unix epoch. Sooner than the token says, when it was rotated with an overlap.
    pub expires_at: i64,
    /// When it was revoked, in seconds since the Unix epoch.
    pub revoked_at: Option<i64>,
    /// Who revoked it.
    pub revoked_by: Option<String>,
    /// When it was last used, as far as hosts have said; in seconds since the Unix epoch.
    pub last_used_at: Option<i64>,
    /// The id of the key that it was rotated to.
    pub replaced_by: Option<String>,
}

impl Key {
    /// Whether it may still be used at `now`, in seconds since the Unix epoch.
    ///
    /// One that was revoked may not, whenever that was: the clocks of two hosts may differ.
    pub fn is_live(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at >= now
    }
}

/// What came of revoking a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// It is revoked now.
    Revoked(Key),
    /// It had been revoked before; nothing has changed.
    Already(Key),
    /// There is no such key.
    Unknown,
}

/// What came of rotating a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It has a successor; this is the old one, as it is now.
    Rotated(Key),
    /// It has ended, or has a successor already; nothing has changed.
    Ended(Key),
    /// There is no such key.
    Unknown,
}

/// A row of `chm_keys`.
#[derive(FromRow)]
pub(crate) struct KeyRow {
    id: String,
    subject: String,
    scopes: String,
    roles: String,
    created_at: i64,
    created_by: String,
    expires_at: i64,
    revoked_at: Option<i64>,
    revoked_by: Option<String>,
    last_used_at: Option<i64>,
    replaced_by: Option<String>,
}

impl KeyRow {
    pub(crate) fn into_key(self) -> Result<Key, StoreError> {
        Ok(Key {
            scopes: list("scopes", &self.scopes)?,
            roles: list("roles", &self.roles)?,
            id: self.id,
            subject: self.subject,
            created_at: self.created_at,
            created_by: self.created_by,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            revoked_by: self.revoked_by,
            last_used_at: self.last_used_at,
            replaced_by: self.replaced_by,
        })
    }
}

fn list(column: &'static str, text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable { column, reason: error.to_string() })
}

/// A list as the store keeps it.
pub(crate) fn listed(words: &[String]) -> String {
    serde_json::Value::from(words).to_string()
}
