//! Signing in, keys and tokens, as the operator configured them.

use chm_access::{KeySecrets, Operators, Scopes, Secret};
use serde::Deserialize;

use super::provider::Providers;

/// Signing in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Who says who a caller is.
    #[serde(rename = "provider")]
    pub providers: Providers,
    /// Whether callers without credentials may read what the matrix calls public.
    pub public_read: bool,
    /// The secret that API keys are signed with; keys are off without it. Never empty.
    #[serde(default)]
    pub api_key_secret: Option<Secret>,
    /// The secret before that: keys signed with it are still valid.
    #[serde(default)]
    pub api_key_previous_secret: Option<Secret>,
    /// What mints and revokes keys; the key secret itself when absent, as the contract has it.
    #[serde(default)]
    pub admin_secret: Option<Secret>,
    /// Whether rightly signed keys without an id are accepted: those of the peer, which cannot be revoked one by one.
    pub accept_unlisted_keys: bool,
    /// Who mints and revokes keys, and reads the audit log, after signing in.
    #[serde(default)]
    pub operators: Operators,
    /// The agent's token.
    #[serde(default)]
    pub agent_token: Option<Secret>,
    /// What the agent's token may do.
    pub agent_token_scopes: Scopes,
    /// What the cron routes ask for; they are off without it.
    #[serde(default)]
    pub cron_secret: Option<Secret>,
}

impl Auth {
    /// The secrets of API keys; absent when keys are off.
    #[must_use]
    pub fn key_secrets(&self) -> Option<KeySecrets> {
        let secrets = KeySecrets::new(self.api_key_secret.clone()?).ok()?;
        Some(secrets.and_previous(self.api_key_previous_secret.clone()))
    }

    /// What mints and revokes keys.
    #[must_use]
    pub fn effective_admin_secret(&self) -> Option<&Secret> {
        self.admin_secret.as_ref().or(self.api_key_secret.as_ref())
    }
}
