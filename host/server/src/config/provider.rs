//! The auth providers.

use std::fmt;
use std::str::FromStr;

use chm_access::PluginId;
use serde::{Deserialize, Deserializer};

/// An auth plugin, under the word that operators and the API call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// For example `trusted`.
    pub name: String,
    /// For example `auth-trusted`.
    pub plugin: PluginId,
}

/// Who says who a caller is: providers in the order in which they are asked. Empty for `none`: every caller passes, unless API keys
/// are on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Providers(Vec<Provider>);

/// The contract's names, one of our own, and the bundled plugins behind them.
const NAMED: &[(&str, &str)] =
    &[("trusted", "auth-trusted"), ("proxy", "auth-proxy"), ("clerk", "auth-clerk"), ("oidc", "auth-oidc")];

/// The text names no providers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`none`, or a comma list of `trusted`, `proxy`, `clerk`, `oidc` and ids of auth plugins, each once, in the order they are asked"
)]
pub struct UnknownProvider;

impl Provider {
    /// The words that stand for bundled plugins.
    pub(super) fn words() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }
}

impl Providers {
    /// In the order in which they are asked.
    pub fn iter(&self) -> std::slice::Iter<'_, Provider> {
        self.0.iter()
    }

    /// Whether this is `none`.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them goes by this word.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|provider| provider.name == name)
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_lowercase();
        if name == "none" {
            return Err(UnknownProvider);
        }
        let plugin = NAMED.iter().find(|(known, _)| *known == name).map_or(name.as_str(), |(_, plugin)| plugin);
        let plugin = plugin.parse().map_err(|_| UnknownProvider)?;
        Ok(Self { name, plugin })
    }
}

impl FromStr for Providers {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(Self::default());
        }
        let mut providers: Vec<Provider> = Vec::new();
        for word in text.split(',') {
            let provider: Provider = word.parse()?;
            // The same plugin under two words would be asked twice.
            if providers.iter().any(|known| known.plugin == provider.plugin) {
                return Err(UnknownProvider);
            }
            providers.push(provider);
        }
        Ok(Self(providers))
    }
}

/// As `GET /api/v1/config` shows it: `none`, or the words in order.
impl fmt::Display for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.pad("none");
        }
        let names: Vec<&str> = self.0.iter().map(|provider| provider.name.as_str()).collect();
        f.pad(&names.join(","))
    }
}

impl<'de> Deserialize<'de> for Providers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_read_as_the_contract_says() {
        assert!(" None ".parse::<Providers>().unwrap().is_none());
        let both: Providers = "Proxy, oidc,auth-ldap".parse().unwrap();
        let plugins: Vec<_> = both.iter().map(|provider| provider.plugin.as_str()).collect();
        assert_eq!(plugins, ["auth-proxy", "auth-oidc", "auth-ldap"]);
        assert_eq!(both.to_string(), "proxy,oidc,auth-ldap");
        assert!(both.contains("proxy") && !both.contains("trusted"));
    }

    #[test]
    fn nothing_else_is_a_list_of_providers() {
        for text in [
            "",
            " ",
            "trusted,none",
            "none,none",
            "none none",
            "trusted,",
            ",",
            "trusted,trusted",
            "trusted,auth-trusted",
            "Trustéd",
        ] {
            assert_eq!(text.parse::<Providers>(), Err(UnknownProvider), "{text}");
        }
    }
}
