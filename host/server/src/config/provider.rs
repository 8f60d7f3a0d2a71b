//! The auth provider.

use std::fmt;
use std::str::FromStr;

use chm_access::PluginId;
use serde::{Deserialize, Deserializer};

/// Who says who a caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Nobody: every caller passes, unless API keys are on.
    None,
    /// An auth plugin.
    Plugin {
        /// What the operator and the API call it, for example `trusted`.
        name: String,
        /// The plugin, for example `auth-trusted`.
        plugin: PluginId,
    },
}

/// The contract's names, and the bundled plugins behind those that exist here.
const NAMED: &[(&str, Option<&str>)] = &[("trusted", Some("auth-trusted")), ("clerk", None), ("proxy", None)];

/// The text names no provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`none`, `trusted`, or the id of one auth plugin (`clerk` and `proxy` are not part of this version)")]
pub struct UnknownProvider;

impl Provider {
    /// As `GET /api/v1/config` shows it: `none`, `trusted`, or the plugin's id.
    pub fn name(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Plugin { name, .. } => name,
        }
    }

    /// The plugin, when there is one.
    pub fn plugin(&self) -> Option<&PluginId> {
        match self {
            Self::None => None,
            Self::Plugin { plugin, .. } => Some(plugin),
        }
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_lowercase();
        if name == "none" {
            return Ok(Self::None);
        }
        let plugin = match NAMED.iter().find(|(known, _)| *known == name) {
            Some((_, Some(plugin))) => plugin,
            Some((_, None)) => return Err(UnknownProvider),
            None => name.as_str(),
        };
        let plugin = plugin.parse().map_err(|_| UnknownProvider)?;
        Ok(Self::Plugin { name, plugin })
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl<'de> Deserialize<'de> for Provider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_read_as_the_contract_says() {
        assert_eq!(" None ".parse(), Ok(Provider::None));
        let trusted = "Trusted".parse::<Provider>().unwrap();
        assert_eq!((trusted.name(), trusted.plugin().unwrap().as_str()), ("trusted", "auth-trusted"));
        let own = "auth-ldap".parse::<Provider>().unwrap();
        assert_eq!((own.name(), own.plugin().unwrap().as_str()), ("auth-ldap", "auth-ldap"));
        for text in ["clerk", "proxy", "trusted,none", "", "none none"] {
            assert_eq!(text.parse::<Provider>(), Err(UnknownProvider), "{text}");
        }
    }
}
