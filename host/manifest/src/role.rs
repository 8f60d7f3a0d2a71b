//! What a component can be for the host.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A role: an interface of `chm:plugin` that the component exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Signs people in.
    AuthProvider,
    /// Tables and charts.
    Panels,
    /// Takes alerts away.
    AlertSink,
    /// Tools for the agent, MCP and the API.
    Toolset,
    /// What somebody may do to a server.
    Actions,
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a role; expected one of {}", .0.escape_debug(), Role::ALL.map(Role::as_str).join(", "))]
pub struct UnknownRole(String);

impl Role {
    /// All roles, in the order the documentation names them.
    pub const ALL: [Self; 5] = [Self::AuthProvider, Self::Panels, Self::AlertSink, Self::Toolset, Self::Actions];

    /// Name of the exported interface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthProvider => "auth-provider",
            Self::Panels => "panels",
            Self::AlertSink => "alert-sink",
            Self::Toolset => "toolset",
            Self::Actions => "actions",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_written_and_others_are_named() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        let error = "sink".parse::<Role>().unwrap_err().to_string();
        assert!(error.contains("`sink`") && error.contains("alert-sink"), "{error}");
    }
}
