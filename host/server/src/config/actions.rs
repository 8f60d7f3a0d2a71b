//! What somebody may do to a server.

use serde::Deserialize;

/// Actions.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionsConfig {
    /// Whether a change is shown and confirmed before it is made.
    pub confirmation: ConfirmationRule,
    /// Seconds that a confirmation lasts.
    pub confirmation_seconds: u32,
}

/// Whether a change is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmationRule {
    /// Nothing is changed without.
    Required,
    /// Whoever sends none changes something at once, as clients of chmonitor do.
    Optional,
}

impl ConfirmationRule {
    /// Whether nothing is changed without.
    #[must_use]
    pub fn is_required(self) -> bool {
        self == Self::Required
    }
}
