//! Configuration: read once at the start, from four places, checked as a whole.
//!
//! [`Config::load`] merges built-in defaults, the file, the environment and the command line (figment keeps where each value comes
//! from), and either gives a [`Loaded`] or a [`ConfigError`] with everything that is wrong. Nothing is read again while the host runs.
//!
//! Two tables are the single source of what exists: `schema` of keys, `variables` of environment variables. Checks, `config check`
//! ([`Loaded::render`]) and the reference ([`reference_markdown`]) are made from them.

mod address;
mod check;
mod consistency;
mod environment;
mod file;
mod kind;
mod leaf;
mod load;
mod model;
mod origin;
mod plugin;
mod problem;
mod provider;
mod reference;
mod render;
mod schema;
mod servers;
#[cfg(test)]
mod tests;
mod variables;

pub use address::{SafeUrl, SecretUrl};
pub use load::{LoadOptions, Loaded};
pub use model::{Auth, Clickhouse, ClickhouseHost, Config, Log, LogFormat, RequestLimits, Telemetry};
pub use origin::Origin;
pub use plugin::{Endpoint, Issuer, PluginConfig, PluginLimits};
pub use problem::{ConfigError, Problem, Warning};
pub use provider::{Provider, UnknownProvider};
pub use reference::reference_markdown;
