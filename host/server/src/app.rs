//! Everything a request may need, made once at start.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chm_access::{Matrix, Operators, Posture};
use chm_sandbox::{CallError, Plugin, Role, Sandbox};

use crate::actions::Actions;
use crate::alerts::{Outbox, OutboxOptions};
use crate::answers::Sharing;
use crate::audit::Audit;
use crate::auth::AuthChain;
use crate::capabilities::{Endpoints, Issuers};
use crate::config::Loaded;
use crate::edge::Edge;
use crate::hosts::Hosts;
use crate::keys::KeyDesk;
use crate::plugins::{Loader, Registry, State};
use crate::settle;
use crate::sinks;
use crate::telemetry::Metrics;

/// The running host.
pub struct App {
    /// Who may do what.
    pub matrix: Matrix,
    /// What callers without credentials may do at all.
    pub posture: Posture,
    /// The watched servers.
    pub hosts: Hosts,
    /// Loaded plugins.
    pub registry: Registry,
    /// Who sends a request.
    pub auth: AuthChain,
    /// Who runs this host.
    pub operators: Operators,
    /// What happened.
    pub audit: Arc<Audit>,
    /// Makes and ends keys; absent where there is no key secret, or no store.
    pub keys: Option<KeyDesk>,
    /// Whether keys are on.
    pub has_key_secret: bool,
    /// Whether the cron routes are on.
    pub has_cron_secret: bool,
    /// Days after which keys that have ended are removed.
    pub key_retention_days: u32,
    /// Named addresses.
    pub endpoints: Endpoints,
    /// Named token issuers.
    pub issuers: Issuers,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Limits of one answer.
    pub answers: AnswerLimits,
    /// What answers share.
    pub sharing: Sharing,
    /// What stands before the operations.
    pub edge: Edge,
    /// Longest request body, in bytes.
    pub body_bytes: usize,
    /// What was shown to whom, before it is done.
    pub actions: Actions,
    /// Alerts on their way.
    pub outbox: Outbox,
    /// How long one server may take to say its version or state.
    pub ask_timeout: Duration,
    /// Compiles and runs the plugins; dropped last.
    _sandbox: Sandbox,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("posture", &self.posture).field("hosts", &self.hosts.len()).finish_non_exhaustive()
    }
}

/// Limits of one answer.
#[derive(Debug, Clone, Copy)]
pub struct AnswerLimits {
    /// Most rows.
    pub rows: u32,
    /// Most bytes.
    pub bytes: u64,
    /// Longest query.
    pub execution: Duration,
}

impl App {
    /// Loads the plugins of `plugin_dir` and settles everything else from the configuration.
    ///
    /// # Errors
    /// When the sandbox cannot be made, the plugin folder cannot be read, a variable does not fit the plugin it is for, or an endpoint
    /// or issuer is unusable.
    pub async fn start(loaded: &Loaded, plugin_dir: &Path, cache_dir: Option<&Path>) -> anyhow::Result<Arc<Self>> {
        let config = &loaded.config;
        let metrics = Arc::new(Metrics::new()?);
        let sandbox = settle::sandbox(cache_dir)?;
        let entries = settle::plugin_entries(loaded);
        let registry = Loader { sandbox: &sandbox, entries: &entries }.load(plugin_dir).await?;
        warn_about_absent_plugins(&entries, &registry);
        let refused = registry.found.iter().filter(|found| matches!(found.state, State::Refused(_))).count();
        metrics.set_plugins(registry.active().count(), refused);
        let store = settle::store(config).await?;
        let auth = AuthChain::new(&config.auth, &registry, store.clone());
        let keys = config.auth.key_secrets().zip(store.clone()).map(|(secrets, store)| KeyDesk::new(secrets, store));
        let audit = Arc::new(Audit::new(store));
        audit.record_plugins(&registry).await;
        let sinks: Vec<_> = registry.with_role(Role::AlertSink).cloned().collect();
        let (hosts, endpoints, issuers) =
            (settle::hosts(config)?, settle::endpoints(config)?, settle::issuers(config)?);
        let app = Arc::new(Self {
            matrix: config.matrix(),
            posture: config.posture(),
            hosts,
            auth,
            operators: config.auth.operators.clone(),
            audit,
            keys,
            has_key_secret: config.auth.api_key_secret.is_some(),
            has_cron_secret: config.auth.cron_secret.is_some(),
            key_retention_days: config.store.key_retention_days,
            endpoints,
            issuers,
            answers: AnswerLimits {
                rows: config.limits.row_cap,
                bytes: config.limits.result_bytes,
                execution: Duration::from_secs(config.clickhouse.max_execution_time.into()),
            },
            sharing: Sharing::new(settle::sharing(config)),
            edge: Edge::new(config)?,
            body_bytes: usize::try_from(config.limits.body_bytes).unwrap_or(usize::MAX),
            ask_timeout: Duration::from_millis(config.clickhouse.ping_timeout_ms),
            actions: Actions::new(&config.actions)
                .map_err(|error| anyhow::anyhow!("no entropy for confirmations: {error}"))?,
            outbox: Outbox::new(OutboxOptions::default()),
            metrics,
            registry,
            _sandbox: sandbox,
        });
        app.issuers.warm();
        for sink in sinks {
            sinks::attach(&app, sink);
        }
        Ok(app)
    }
}

impl App {
    /// Waits for a call into a plugin and counts it.
    ///
    /// # Errors
    /// The call's own.
    pub async fn observed<T>(
        &self,
        plugin: &Plugin,
        role: Role,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let began = Instant::now();
        let outcome = call.await;
        let word = outcome.as_ref().err().map_or("ok", CallError::kind);
        self.metrics.observe_plugin_call(plugin.id(), role, word, began.elapsed());
        outcome
    }

    /// What callers without credentials can do, in words.
    #[must_use]
    pub fn posture_words(&self) -> String {
        chm_access::posture_words(&self.matrix, self.posture, &self.registry.catalogue.plugin_features())
    }
}

/// Configuration for a plugin that no file brought is most often a typing error.
fn warn_about_absent_plugins(entries: &BTreeMap<String, crate::plugins::PluginEntry>, registry: &Registry) {
    for id in entries.keys() {
        let bundled = crate::plugins::BUNDLED.contains(&id.as_str());
        if !bundled && !registry.found.iter().any(|found| found.id == *id) {
            tracing::warn!(plugin = %id, "the configuration has [plugins.{id}], but no file in the plugin folder brings it");
        }
    }
}
