//! Actions: what somebody may do to a server, in two steps.
//!
//! Whoever asks for a change is shown what it would hit, and comes back with the [`Confirmations`]' token of exactly that. [`perform`]
//! is the way of one request; each end of it has an entry in the audit log.

mod confirmation;
mod deed;
mod perform;

pub use confirmation::{About, Confirmations, Confirmed, Unconfirmed};
pub use deed::Deed;
pub use perform::{Done, Refusal, Shown, Way, Wish, perform};

use std::time::Duration;

use crate::config::ActionsConfig;

/// What all requests for actions share.
#[derive(Debug)]
pub struct Actions {
    /// Whether a change is confirmed first.
    pub is_confirmed_first: bool,
    /// What was shown to whom.
    pub confirmations: Confirmations,
}

impl Actions {
    /// As configured.
    ///
    /// # Errors
    /// When the system has no entropy.
    pub fn new(config: &ActionsConfig) -> Result<Self, getrandom::Error> {
        let lifetime = Duration::from_secs(config.confirmation_seconds.into());
        Ok(Self { is_confirmed_first: config.confirmation.is_required(), confirmations: Confirmations::new(lifetime)? })
    }
}
