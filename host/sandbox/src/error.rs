//! Why a plugin was refused, and why a call failed.

use std::time::Duration;

use chm_manifest::Role;

use crate::bindings::types;
use crate::imports::one_line;

/// Why a plugin was not loaded. The text is for operators and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes differ from what the operator pinned.
    #[error("its sha256 is {found}, but the configuration pins {pinned}")]
    Digest {
        /// Of the file.
        found: String,
        /// Of the configuration.
        pinned: String,
    },
    /// wasmtime cannot compile it.
    #[error("it does not compile: {0}")]
    Compile(String),
    /// Built for another version of the interface.
    #[error(
        "it was built for chm:plugin@{found}; this host speaks chm:plugin@{}: rebuild it with a matching SDK",
        crate::API_VERSION
    )]
    ApiVersion {
        /// The version it names.
        found: String,
    },
    /// It exports no role.
    #[error("it exports none of the roles {}", Role::ALL.map(Role::as_str).join(", "))]
    NoRole,
    /// It imports something no host interface is.
    #[error("it imports `{import}`, which this host does not offer to plugins")]
    UnknownImport {
        /// The import's full name.
        import: String,
    },
    /// It imports something the operator did not grant.
    #[error(
        "it imports {interfaces}, which {was} not granted; to grant {it}: [plugins.{plugin}.grants] {lines}",
        interfaces = interfaces.join(" and "),
        was = if interfaces.len() == 1 { "was" } else { "were" },
        it = if interfaces.len() == 1 { "it" } else { "them" },
        lines = lines.join(" and ")
    )]
    NotGranted {
        /// The plugin's id.
        plugin: String,
        /// Everything that is missing, so that one change of the configuration is enough, in back quotes.
        interfaces: Vec<String>,
        /// The exact configuration lines, one for each.
        lines: Vec<String>,
    },
    /// The interfaces do not fit.
    #[error("it cannot be linked: {0}")]
    Link(String),
    /// `describe` failed.
    #[error("its `describe` for the role {role} failed: {error}")]
    Probe {
        /// The role.
        role: Role,
        /// What happened.
        error: CallError,
    },
}

/// Why a call into a plugin failed. The host and every other plugin go on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// All places are taken.
    #[error("busy: {concurrency} calls are running already")]
    Busy {
        /// How many run at once.
        concurrency: usize,
    },
    /// The wall-clock limit passed.
    #[error("stopped after {} ms on the clock", limit.as_millis())]
    Wall {
        /// The limit.
        limit: Duration,
    },
    /// The processor limit passed.
    #[error("stopped after {} ms of processor time", limit.as_millis())]
    Cpu {
        /// The limit.
        limit: Duration,
    },
    /// The memory limit was hit.
    #[error("stopped when it asked for more than {limit_bytes} bytes of memory")]
    Memory {
        /// The limit.
        limit_bytes: usize,
    },
    /// The guest trapped.
    #[error("trapped: {0}")]
    Trap(String),
    /// It does not have the role.
    #[error("it does not have the role {0}")]
    NoSuchRole(Role),
    /// The guest answered with a failure of its own.
    #[error("{}", failure_words(.0))]
    Failure(types::Failure),
}

impl CallError {
    /// A bounded word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Wall { .. } => "wall",
            Self::Cpu { .. } => "cpu",
            Self::Memory { .. } => "memory",
            Self::Trap(_) => "trap",
            Self::NoSuchRole(_) => "no-such-role",
            Self::Failure(_) => "failure",
        }
    }

    /// Whether the guest broke (as opposed to answering that it could not).
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(self, Self::Busy { .. } | Self::NoSuchRole(_) | Self::Failure(_))
    }
}

/// For the log: one line, and not a long one.
fn failure_words(failure: &types::Failure) -> String {
    let (kind, text) = match failure {
        types::Failure::InvalidInput(text) => ("invalid input", text),
        types::Failure::NotFound(text) => ("not found", text),
        types::Failure::Denied(text) => ("denied", text),
        types::Failure::Unavailable(text) => ("unavailable", text),
        types::Failure::Upstream(text) => ("upstream", text),
        types::Failure::Timeout(text) => ("timeout", text),
        types::Failure::Internal(text) => ("internal", text),
    };
    format!("{kind}: {}", one_line(text))
}
