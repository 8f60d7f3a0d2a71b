//! What the one who enqueued an alert can wait for.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

/// What the last attempt came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Outcome {
    /// The sink took it.
    Delivered {
        /// What the receiver called it, where it says.
        reference: Option<String>,
    },
    /// It will be tried again.
    Waiting {
        /// Why it was not delivered.
        reason: String,
        /// After this pause, in milliseconds.
        retry_in_ms: u64,
    },
    /// It will not be tried again.
    Failed {
        /// Why.
        reason: String,
    },
}

/// One enqueued alert. Dropping it changes nothing.
#[derive(Debug, Clone)]
pub struct Ticket {
    pub(super) id: u64,
    pub(super) outcome: watch::Receiver<Option<Outcome>>,
}

impl Ticket {
    /// As in [`super::Entry::id`].
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Waits for the first attempt. `None`: none was made within `timeout`, because earlier alerts of the sink are still waiting
    /// or the attempt takes longer.
    pub async fn outcome(mut self, timeout: Duration) -> Option<Outcome> {
        let attempted = self.outcome.wait_for(Option::is_some);
        match tokio::time::timeout(timeout, attempted).await {
            Ok(Ok(outcome)) => outcome.clone(),
            // No time left, or the outbox is gone.
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Waits for the last attempt: never [`Outcome::Waiting`]. `None`: the alert still waits, or the outbox is gone.
    pub async fn settled(mut self, timeout: Duration) -> Option<Outcome> {
        let settled = self
            .outcome
            .wait_for(|outcome| matches!(outcome, Some(Outcome::Delivered { .. } | Outcome::Failed { .. })));
        match tokio::time::timeout(timeout, settled).await {
            Ok(Ok(outcome)) => outcome.clone(),
            Ok(Err(_)) | Err(_) => None,
        }
    }
}
