//! A plugin's name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// The host's own features. A plugin's id is also the id of a feature of its own, so it may be none of these.
pub const FEATURE_IDS: [&str; 19] = [
    "overview",
    "agent",
    "insights",
    "health",
    "queries",
    "tables",
    "metrics",
    "dashboard",
    "security",
    "logs",
    "settings",
    "billing",
    "cluster",
    "operations",
    "actions",
    "mcp",
    "peerdb",
    "docs",
    "about",
];

/// A plugin's id: 2 to 40 lower-case letters, digits and `-`; the first is a letter, the last is not `-`;
/// not one of [`FEATURE_IDS`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PluginId(String);

/// Why a text is not a plugin id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginIdError {
    /// Wrong length or characters.
    #[error(
        "`{0}` is not a plugin id; expected 2 to 40 lower-case letters, digits and `-`, beginning with a letter and not ending with `-`"
    )]
    Malformed(String),
    /// The host has a feature of this name.
    #[error("`{0}` is one of the host's own features; choose another id, for example `{0}-plus`")]
    Feature(String),
}

impl PluginId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PluginId {
    type Err = PluginIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let formed = (2..=40).contains(&text.len())
            && text.bytes().all(plain)
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-');
        if !formed {
            return Err(PluginIdError::Malformed(text.to_owned()));
        }
        if FEATURE_IDS.contains(&text) {
            return Err(PluginIdError::Feature(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for PluginId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for PluginId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for PluginId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_short_lower_case_name_that_no_feature_has() {
        for good in ["ab", "auth-trusted", "p2", "queries2", "tables-x", &"a".repeat(40)] {
            assert_eq!(good.parse::<PluginId>().unwrap().as_str(), good);
        }
        for bad in ["", "a", "A-b", "a_b", "2a", "-ab", "ab-", "a b", "ä-b", "a.b", "../a", &"a".repeat(41)] {
            assert!(matches!(bad.parse::<PluginId>(), Err(PluginIdError::Malformed(_))), "{bad:?}");
        }
        for feature in FEATURE_IDS {
            assert!(matches!(feature.parse::<PluginId>(), Err(PluginIdError::Feature(_))), "{feature}");
        }
    }
}
