//! Configuration: read once at the start, from four places, checked as a whole.
//!
//! [`Config::load`] merges built-in defaults, the file, the environment and the command line (figment keeps where each value comes
//! from), and either gives a [`Loaded`] or a [`ConfigError`] with everything that is wrong. Nothing is read again while the host runs.
//!
//! Two tables are the single source of what exists: `schema` of keys, `variables` of environment variables. Checks, `config check`
//! ([`Loaded::render`]) and the reference ([`reference_markdown`]) are made from them.

mod actions;
mod address;
mod allowed_host;
mod auth;
mod check;
mod consistency;
mod edge;
mod environment;
mod file;
mod form;
mod kind;
mod leaf;
mod load;
mod model;
mod network;
mod origin;
mod peerdb;
mod plugin;
mod problem;
mod provider;
mod reference;
mod render;
mod schema;
mod servers;
mod sign_in;
mod store;
#[cfg(test)]
mod tests;
mod variables;
mod web_origin;

pub use actions::{ActionsConfig, ConfirmationRule};
pub use address::{SafeUrl, SecretUrl};
pub use allowed_host::{AllowedHost, NoHost};
pub use auth::Auth;
pub use edge::{EdgeConfig, ForwardedHeader, Tls};
pub use load::{LoadOptions, Loaded};
pub use model::{Clickhouse, ClickhouseHost, Config, Log, LogFormat, RequestLimits, Telemetry};
pub use network::{Network, NoNetwork};
pub use origin::Origin;
pub use plugin::{Endpoint, Issuer, PluginConfig, PluginLimits};
pub use problem::{ConfigError, Problem, Warning};
pub use provider::{Provider, Providers, UnknownProvider};
pub use reference::reference_markdown;
pub use store::{NoPlace, StoreConfig, StorePlace};
pub use web_origin::{NoOrigin, WebOrigin};
