//! Why a plugin could not do what it was asked.

pub use crate::bindings::imports::chm::plugin::types::Failure;

impl Failure {
    /// The caller's input is wrong (400). Say which field, what was expected, and what to do.
    #[must_use]
    pub fn invalid_input(text: impl Into<String>) -> Self {
        Self::InvalidInput(text.into())
    }

    /// The thing asked for does not exist (404).
    #[must_use]
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::NotFound(text.into())
    }

    /// The caller or this plugin may not do this (403).
    #[must_use]
    pub fn denied(text: impl Into<String>) -> Self {
        Self::Denied(text.into())
    }

    /// Something this plugin depends on does not answer (503).
    #[must_use]
    pub fn unavailable(text: impl Into<String>) -> Self {
        Self::Unavailable(text.into())
    }

    /// Something this plugin asked answered with an error, or with nonsense (502). The text is shown.
    #[must_use]
    pub fn upstream(text: impl Into<String>) -> Self {
        Self::Upstream(text.into())
    }

    /// Something this plugin asked did not answer in time (504). The text is shown.
    #[must_use]
    pub fn timeout(text: impl Into<String>) -> Self {
        Self::Timeout(text.into())
    }

    /// Anything else (502). The text goes to the log; the client sees a general message.
    #[must_use]
    pub fn internal(text: impl Into<String>) -> Self {
        Self::Internal(text.into())
    }
}
