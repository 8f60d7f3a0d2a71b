//! The configuration as the host uses it: complete, typed and checked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use chm_access::{AllowList, FeatureId, FeatureOverride, Matrix, PluginId, Posture, Secret};
use serde::Deserialize;

use super::actions::ActionsConfig;
use super::address::SafeUrl;
use super::auth::Auth;
use super::edge::{EdgeConfig, Tls};
use super::plugin::{Endpoint, Issuer, PluginConfig};
use super::store::StoreConfig;

/// Everything the operator decides. Every value is there: defaults fill what nobody set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the server listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The folder with the `.wasm` files of plugins, when it is not the built-in one.
    pub plugin_dir: Option<PathBuf>,
    /// The compiler for plugins, when it is not looked for.
    pub guest_rustc: Option<PathBuf>,
    /// The servers that are watched.
    pub clickhouse: Clickhouse,
    /// Signing in.
    pub auth: Auth,
    /// What the operator said about features.
    #[serde(default)]
    pub features: BTreeMap<FeatureId, FeatureOverride>,
    /// What the operator said about plugins, on top of the grants of the bundled ones. Look-ups by text work.
    #[serde(default)]
    pub plugins: BTreeMap<PluginId, PluginConfig>,
    /// Addresses that plugins may send to, by name.
    #[serde(default)]
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Token issuers that plugins may ask about, by name.
    #[serde(default)]
    pub issuers: BTreeMap<String, Issuer>,
    /// The host's own state.
    pub store: StoreConfig,
    /// Logging.
    pub log: Log,
    /// Traces.
    pub telemetry: Telemetry,
    /// Names, origins and proxies.
    pub edge: EdgeConfig,
    /// TLS.
    #[serde(default)]
    pub tls: Tls,
    /// What answers share.
    pub answers: Answers,
    /// What somebody may do to a server.
    pub actions: ActionsConfig,
    /// Limits of requests and answers.
    pub limits: RequestLimits,
}

impl Config {
    /// The permission matrix.
    pub fn matrix(&self) -> Matrix {
        Matrix::new(self.features.clone())
    }

    /// What callers without credentials may do at all.
    pub fn posture(&self) -> Posture {
        Posture::resolve(!self.auth.providers.is_none(), self.auth.api_key_secret.is_some(), self.auth.public_read)
    }
}

/// The servers that are watched, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clickhouse {
    /// The servers; the host id of the API is the position. Empty when none is configured.
    #[serde(default)]
    pub hosts: Vec<ClickhouseHost>,
    /// Seconds after which a query is stopped.
    pub max_execution_time: u32,
    /// Most queries at once, per server.
    pub pool_size: u32,
    /// Percent of them for one caller.
    pub caller_share_percent: u32,
    /// Milliseconds that `/healthz` waits for one server.
    pub ping_timeout_ms: u64,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickhouseHost {
    /// Its HTTP interface, without credentials and query.
    pub url: SafeUrl,
    /// The user.
    #[serde(default = "default_user")]
    pub user: String,
    /// The password; may be empty.
    #[serde(default = "no_password")]
    pub password: Secret,
    /// What to call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Who may see it; absent: everybody whom the matrix admits.
    #[serde(default)]
    pub allow: Option<AllowList>,
}

pub(super) fn default_user() -> String {
    "default".to_owned()
}

fn no_password() -> Secret {
    Secret::new("")
}

/// Logging.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// A filter as `tracing` reads it, for example `info,chm_host=debug`.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Traces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// An OTLP/HTTP collector; nothing is exported without it.
    #[serde(default)]
    pub otlp_endpoint: Option<SafeUrl>,
    /// The `service.name` of traces.
    pub service_name: String,
}

/// What answers share. Both are off for those who want to see each answer made.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Whether identical reads at the same time run once.
    pub coalesce: bool,
    /// Whether answers of panels are kept for the seconds that the panel allows.
    pub cache: bool,
}

/// Limits of requests and answers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLimits {
    /// Most bytes of a request's body.
    pub body_bytes: u64,
    /// Most rows of an answer.
    pub row_cap: u32,
    /// Most bytes of an answer.
    pub result_bytes: u64,
    /// Most requests a minute of one caller.
    pub requests_per_minute: NonZeroU32,
    /// Most requests a minute to the agent of one caller.
    pub agent_requests_per_minute: NonZeroU32,
    /// Most changes a minute of one caller.
    pub actions_per_minute: NonZeroU32,
    /// Most different wrong credentials a minute from one address.
    pub failed_sign_ins_per_minute: NonZeroU32,
    /// Most bytes of a request's head.
    pub header_bytes: u32,
    /// Milliseconds that a connection may go without a complete request.
    pub header_timeout_ms: u64,
    /// Milliseconds that a request's body may take.
    pub body_timeout_ms: u64,
    /// Milliseconds until the head of an answer is sent; when absent, one minute longer than a query may take.
    #[serde(default)]
    pub request_timeout_ms: Option<u64>,
    /// Most connections at once.
    pub connections: u32,
}
