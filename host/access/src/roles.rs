//! Names of roles, and whether somebody has one.

use std::fmt;
use std::str::FromStr;

/// A role as a rule names it. Compared without regard to case, as the contract compares groups (§2.6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

/// The text is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is blank or contains a comma: expected for example `sre`")]
pub struct InvalidRole;

impl RoleName {
    /// As the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() || text.contains(',') || text.chars().any(char::is_control) {
            return Err(InvalidRole);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether `role` is among `held`.
pub(crate) fn has_role(held: &[String], role: &RoleName) -> bool {
    let wanted = role.0.to_lowercase();
    held.iter().any(|held| held.to_lowercase() == wanted)
}
