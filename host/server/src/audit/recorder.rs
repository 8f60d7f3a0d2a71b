//! Keeps entries.

use chm_store::{NewEntry, Outcome, Store, StoreError};
use serde_json::json;

use super::Circumstances;
use super::flood::{Admission, Flood};
use crate::plugins::{Registry, State};

/// An entry as an event of the log, with the same fields at each level.
macro_rules! to_log {
    ($level:ident, $entry:expr, $message:literal $(, $($more:tt)+)?) => {
        tracing::$level!(
            action = %$entry.action,
            outcome = %$entry.outcome,
            actor = %$entry.actor.kind,
            subject = $entry.actor.subject,
            address = $entry.address,
            about = $entry.request_id,
            target = $entry.target,
            details = %$entry.details,
            $($($more)+,)?
            $message
        )
    };
}

/// Keeps entries in the store; in the log where there is none.
#[derive(Debug)]
pub struct Audit {
    store: Option<Store>,
    strangers: Flood,
}

impl Audit {
    /// With the store, where there is one.
    #[must_use]
    pub fn new(store: Option<Store>) -> Self {
        Self { store, strangers: Flood::new() }
    }

    /// Where entries are kept.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// Keeps an entry. Returns when it is kept.
    ///
    /// # Errors
    /// When the store fails. The entry is in the log then, as an error.
    pub async fn try_record(&self, entry: &NewEntry) -> Result<(), StoreError> {
        let Some(store) = &self.store else {
            to_log!(info, entry, "audit");
            return Ok(());
        };
        store.append(entry).await.inspect_err(|error| {
            to_log!(error, entry, "an entry is not in the audit log, only here", %error);
        })
    }

    /// Keeps an entry about what has happened already: when the store fails it is in the log.
    pub async fn record(&self, entry: &NewEntry) {
        let _ = self.try_record(entry).await;
    }

    /// Keeps a denial of a caller without credentials; of very many, some, and how many the others were.
    pub async fn record_stranger(&self, mut entry: NewEntry) {
        match self.strangers.admit() {
            Admission::Keep(0) => self.record(&entry).await,
            Admission::Keep(others) => {
                entry.details["othersNotKept"] = json!(others);
                self.record(&entry).await;
            }
            Admission::Count => {}
        }
    }

    /// Keeps what became of each plugin at start.
    pub async fn record_plugins(&self, registry: &Registry) {
        let host = Circumstances::of_the_host();
        for found in &registry.found {
            let (outcome, details) = match &found.state {
                State::Active(plugin) => (
                    Outcome::Done,
                    json!({
                        "file": found.file,
                        "version": plugin.manifest().version.to_string(),
                        "sha256": plugin.sha256(),
                        "grants": plugin.grants().to_string(),
                    }),
                ),
                State::Refused(reason) => (Outcome::Denied, json!({"file": found.file, "reason": reason})),
                State::Disabled => continue,
            };
            self.record(&host.entry("plugin.load", outcome, Some(&found.id), details)).await;
        }
    }
}
