//! What the operator says about plugins, and what plugins may reach.

use std::collections::BTreeMap;

use chm_access::Secret;
use chm_manifest::SettingValue;
use chm_sandbox::Grants;
use serde::Deserialize;

use super::address::{SafeUrl, SecretUrl};

/// One plugin: `[plugins.<id>]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginConfig {
    /// Whether it is loaded.
    pub enabled: bool,
    /// The only digest its file may have, as 64 lower-case hexadecimal digits.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Values of its own settings; checked against its manifest when it is loaded. Blank ones are unset.
    #[serde(default)]
    pub settings: BTreeMap<String, SettingValue>,
    /// What it may use.
    #[serde(default)]
    pub grants: Grants,
    /// Limits of its calls, where they differ from those of the role.
    #[serde(default)]
    pub limits: PluginLimits,
}

/// A plugin that nobody wrote about: loaded, with nothing granted.
impl Default for PluginConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            sha256: None,
            settings: BTreeMap::new(),
            grants: Grants::default(),
            limits: PluginLimits::default(),
        }
    }
}

/// Limits of a plugin's calls; what is absent is the default of the role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginLimits {
    /// MiB of memory of one call.
    pub memory_mib: Option<u32>,
    /// Milliseconds of processor time of one call.
    pub cpu_ms: Option<u64>,
    /// Milliseconds of one call, waiting included.
    pub wall_ms: Option<u64>,
    /// Calls at once.
    pub concurrency: Option<u32>,
}

/// An address that plugins may send to: `[endpoints.<name>]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The address.
    pub url: SecretUrl,
    /// Headers that the host adds; their values are secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Milliseconds for the whole exchange.
    pub timeout_ms: u64,
    /// Most bytes of an answer.
    pub max_response_bytes: u64,
}

/// A token issuer that plugins may ask about: `[issuers.<name>]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// Where its keys are; discovered from the issuer when absent.
    #[serde(default)]
    pub jwks_url: Option<SafeUrl>,
    /// Its key in PEM, instead: nothing is fetched then.
    #[serde(default)]
    pub public_key: Option<String>,
    /// A token must be meant for one of these; `*` alone: for whom it is, is not looked at.
    pub audiences: Vec<String>,
    /// Signature algorithms that are accepted, for example `RS256`. Never `none`, never one with a shared key.
    pub algorithms: Vec<String>,
}
