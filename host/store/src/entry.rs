//! Entries of the audit log.

use std::fmt;

use serde_json::Value;
use sqlx::FromRow;

use crate::error::StoreError;

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Denied,
    /// It was allowed, and did not work.
    Failed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Done, Self::Denied, Self::Failed];

    /// As it is kept and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The sort of caller, or `host` for what the host does of itself.
    pub kind: String,
    /// Who, when that is known.
    pub subject: Option<String>,
}

/// Something that happened, to be kept for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// When, in milliseconds since the Unix epoch.
    pub time: i64,
    /// What, as `noun.verb`.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Who did it.
    pub actor: Actor,
    /// From where: the client's address.
    pub address: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// To what.
    pub target: Option<String>,
    /// What else is worth knowing: a JSON object. Never a secret.
    pub details: Value,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Rises with each entry.
    pub id: i64,
    /// What was written.
    pub entry: NewEntry,
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Not before this, in milliseconds since the Unix epoch.
    pub since: Option<i64>,
    /// Before this, in milliseconds since the Unix epoch.
    pub until: Option<i64>,
    /// With this action.
    pub action: Option<String>,
    /// By this subject.
    pub subject: Option<String>,
}

/// A row of `chm_audit`.
#[derive(FromRow)]
pub(crate) struct EntryRow {
    id: i64,
    time: i64,
    action: String,
    outcome: String,
    actor_kind: String,
    actor_subject: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    target: Option<String>,
    details: String,
}

impl EntryRow {
    pub(crate) fn into_entry(self) -> Result<Entry, StoreError> {
        let unreadable = |column, reason| StoreError::Unreadable { column, reason };
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == self.outcome);
        let details = serde_json::from_str(&self.details).map_err(|error| unreadable("details", error.to_string()))?;
        Ok(Entry {
            id: self.id,
            entry: NewEntry {
                time: self.time,
                action: self.action,
                outcome: outcome.ok_or_else(|| unreadable("outcome", format!("`{}`", self.outcome)))?,
                actor: Actor { kind: self.actor_kind, subject: self.actor_subject },
                address: self.address,
                request_id: self.request_id,
                target: self.target,
                details,
            },
        })
    }
}
