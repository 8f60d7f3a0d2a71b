//! What a delivery came to.

use std::time::Duration;

use chm_sandbox::CallError;
use chm_sandbox::bindings::alert_sink::{DeliveryFailure, Receipt};

/// Why an alert was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It may work later.
    #[error("{reason}")]
    Later {
        /// Wait at least this long; absent: as the outbox sees fit.
        after: Option<Duration>,
        /// In words.
        reason: String,
    },
    /// It will never work.
    #[error("{reason}")]
    Permanent {
        /// In words.
        reason: String,
    },
}

impl DeliveryError {
    /// It may work later, when is not known.
    pub fn later(reason: impl Into<String>) -> Self {
        Self::Later { after: None, reason: reason.into() }
    }
}

/// What [`chm_sandbox::Plugin::deliver`] returned, as the outbox sees it: only the sink itself can say that an alert will never be
/// delivered. A sink that traps, is stopped or is busy leaves it waiting.
///
/// # Errors
/// When the alert was not delivered.
pub fn classify(answer: Result<Result<Receipt, DeliveryFailure>, CallError>) -> Result<Receipt, DeliveryError> {
    match answer {
        Ok(Ok(receipt)) => Ok(receipt),
        Ok(Err(DeliveryFailure::RetryAfter(later))) => Err(DeliveryError::Later {
            after: later.after_seconds.map(|seconds| Duration::from_secs(seconds.into())),
            reason: later.reason,
        }),
        Ok(Err(DeliveryFailure::Permanent(reason))) => Err(DeliveryError::Permanent { reason }),
        Err(error) => Err(DeliveryError::later(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use chm_sandbox::bindings::alert_sink::Later;

    use super::*;

    #[test]
    fn a_sink_that_traps_or_is_busy_leaves_the_alert_waiting() {
        for error in [CallError::Trap("unreachable".into()), CallError::Busy { concurrency: 4 }] {
            assert!(matches!(classify(Err(error)), Err(DeliveryError::Later { after: None, .. })));
        }
    }

    #[test]
    fn the_sinks_own_word_counts() {
        let later = Later { after_seconds: Some(7), reason: "429".into() };
        assert_eq!(
            classify(Ok(Err(DeliveryFailure::RetryAfter(later)))).unwrap_err(),
            DeliveryError::Later { after: Some(Duration::from_secs(7)), reason: "429".into() }
        );
        assert_eq!(
            classify(Ok(Err(DeliveryFailure::Permanent("gone".into())))).unwrap_err(),
            DeliveryError::Permanent { reason: "gone".into() }
        );
        let receipt = Receipt { reference: Some("m-1".into()) };
        assert_eq!(classify(Ok(Ok(receipt))).unwrap().reference.as_deref(), Some("m-1"));
    }
}
