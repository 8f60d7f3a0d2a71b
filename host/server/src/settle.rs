//! From the configuration to the parts that use it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chm_clickhouse::{Host, HostConfig, Limits as ReadLimits};
use chm_sandbox::{Limits, Role, Sandbox, SandboxOptions};
use chm_store::StoreUrl;

use crate::answers::SharingOptions;
use crate::capabilities::{Endpoint, Endpoints, Issuer, Issuers};
use crate::config::{self, Config, Loaded, Origin, StorePlace};
use crate::hosts::Hosts;
use crate::plugins::{GivenIn, PluginEntry};
use crate::telemetry::{LogFormat, TelemetryOptions};

/// The sandbox, with compiled code kept in `cache_dir`.
///
/// # Errors
/// When this machine cannot run it.
pub fn sandbox(cache_dir: Option<&Path>) -> anyhow::Result<Sandbox> {
    let options = SandboxOptions { cache_dir: cache_dir.map(|dir| dir.join("code")) };
    Sandbox::new(&options).map_err(|error| anyhow::anyhow!("the plugin sandbox: {error}"))
}

/// The watched servers.
///
/// # Errors
/// When an address cannot be used.
pub fn hosts(config: &Config) -> anyhow::Result<Hosts> {
    let concurrent = config.clickhouse.pool_size as usize;
    let share = concurrent * config.clickhouse.caller_share_percent as usize / 100;
    let limits = ReadLimits { concurrent, share, ..ReadLimits::default() };
    config
        .clickhouse
        .hosts
        .iter()
        .enumerate()
        .map(|(id, host)| {
            let settled =
                HostConfig::new(id, host.name.clone(), host.url.expose().as_str(), &host.user, host.password.clone())?;
            Ok((Arc::new(Host::new(settled, limits)?), host.allow.clone()))
        })
        .collect::<anyhow::Result<Vec<_>>>()
        .map(Hosts::new)
}

/// What answers share.
#[must_use]
pub fn sharing(config: &Config) -> SharingOptions {
    SharingOptions { coalesce: config.answers.coalesce, cache: config.answers.cache }
}

/// Named addresses.
///
/// # Errors
/// Names the endpoint and what is wrong with it.
pub fn endpoints(config: &Config) -> anyhow::Result<Endpoints> {
    let endpoints = Endpoints::new(
        config
            .endpoints
            .iter()
            .map(|(name, endpoint)| Endpoint {
                name: name.clone(),
                url: endpoint.url.expose().to_string(),
                headers: endpoint
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.expose().to_owned()))
                    .collect(),
                timeout: Duration::from_millis(endpoint.timeout_ms),
                max_response_bytes: usize::try_from(endpoint.max_response_bytes).unwrap_or(usize::MAX),
            })
            .collect(),
    );
    Ok(endpoints?)
}

/// Named token issuers.
///
/// # Errors
/// Names the issuer and what is wrong with it.
pub fn issuers(config: &Config) -> anyhow::Result<Issuers> {
    let issuers = Issuers::new(
        config
            .issuers
            .iter()
            .map(|(name, issuer)| Issuer {
                name: name.clone(),
                issuer: issuer.issuer.clone(),
                jwks_url: issuer.jwks_url.as_ref().map(|url| url.expose().to_string()),
                public_key: issuer.public_key.clone(),
                audiences: issuer.audiences.clone(),
                algorithms: issuer.algorithms.clone(),
            })
            .collect(),
    );
    Ok(issuers?)
}

/// The host's own state, opened; absent where the operator wants none.
///
/// # Errors
/// When it cannot be opened, or nobody says where it is.
pub async fn store(config: &Config) -> anyhow::Result<Option<chm_store::Store>> {
    let url = match &config.store.url {
        Some(StorePlace::Nowhere) => return Ok(None),
        Some(StorePlace::At(url)) => url.clone(),
        None => {
            let folder = chm_embedded::xdg::state().ok_or_else(|| {
                anyhow::anyhow!(
                    "there is no place for API keys and the audit log: set CHM_STORE_URL (`store.url`) to sqlite:<path of a file>, \
                     or to `none`; or set XDG_STATE_HOME or HOME"
                )
            })?;
            StoreUrl::sqlite(folder.join("state.db"))
        }
    };
    Ok(Some(chm_store::Store::open(&url).await?))
}

/// How this process logs and exports spans.
#[must_use]
pub fn telemetry(loaded: &Loaded) -> TelemetryOptions {
    let config = &loaded.config;
    let key = |path: &str| loaded.origin(path).map_or_else(|| path.to_owned(), |origin| format!("{path} ({origin})"));
    TelemetryOptions {
        format: match config.log.format {
            config::LogFormat::Pretty => LogFormat::Pretty,
            config::LogFormat::Json => LogFormat::Json,
        },
        level: config.log.level.clone(),
        level_key: key("log.level"),
        otlp_endpoint: config.telemetry.otlp_endpoint.as_ref().map(|url| url.expose().to_string()),
        otlp_key: key("telemetry.otlp_endpoint"),
        service_name: config.telemetry.service_name.clone(),
    }
}

/// What the operator wrote about each plugin.
#[must_use]
pub fn plugin_entries(loaded: &Loaded) -> BTreeMap<String, PluginEntry> {
    loaded.config.plugins.iter().map(|(id, plugin)| (id.to_string(), entry(loaded, id.as_str(), plugin))).collect()
}

fn entry(loaded: &Loaded, id: &str, plugin: &config::PluginConfig) -> PluginEntry {
    PluginEntry {
        disabled: !plugin.enabled,
        sha256: plugin.sha256.clone(),
        settings: plugin
            .settings
            .iter()
            .map(|(name, value)| {
                let path = format!("plugins.{id}.settings.{name}");
                let given = match loaded.origin(&path) {
                    Some(origin @ Origin::Variable(_)) => GivenIn::Variable(origin.to_string()),
                    Some(origin) => GivenIn::Table(origin.to_string()),
                    None => GivenIn::Table(path),
                };
                (name.clone(), (value.clone(), given))
            })
            .collect(),
        grants: plugin.grants.clone(),
        limits: limits(&plugin.limits),
    }
}

/// The operator's limits hold for every role of the plugin.
fn limits(given: &config::PluginLimits) -> Limits {
    let mut limits = Limits::default();
    for role in Role::ALL {
        let of_role = limits.of_mut(role);
        if let Some(mib) = given.memory_mib {
            of_role.memory_bytes = (mib as usize) << 20;
        }
        if let Some(ms) = given.cpu_ms {
            of_role.cpu = Duration::from_millis(ms);
        }
        if let Some(ms) = given.wall_ms {
            of_role.wall = Duration::from_millis(ms);
        }
        if let Some(calls) = given.concurrency {
            of_role.concurrency = calls as usize;
        }
    }
    limits
}
