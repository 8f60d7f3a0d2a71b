//! Plugins on this host: found, loaded, and entered into one catalogue.

mod action;
mod catalogue;
mod loader;
mod panel;
mod parameter;
mod tool;

pub use action::Action;
pub use catalogue::{Catalogue, Gated, Unknown};
pub use loader::{Found, GivenIn, LoadError, Loader, PluginEntry, Registry, State};
pub use panel::{Panel, Unfit};
pub use parameter::{BadParameter, Parameter};
pub use tool::Tool;

/// The first-party plugins. They own the contract's panel, chart and tool names; another plugin's names are
/// `<plugin>.<name>`.
pub const BUNDLED: [&str; 16] = [
    "alert-webhook",
    "auth-clerk",
    "auth-oidc",
    "auth-proxy",
    "auth-trusted",
    "panel-actions",
    "panel-peerdb",
    "panels-cluster",
    "panels-explorer",
    "panels-health",
    "panels-operations",
    "panels-overview",
    "panels-queries",
    "panels-system",
    "panels-tables",
    "tools-clickhouse",
];
