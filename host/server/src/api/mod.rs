//! The HTTP API: typed operations, one envelope, one document.

mod actions;
mod alerts;
mod allowed_methods;
mod audit;
mod body_limit;
mod charts;
mod checked_json;
mod config;
mod counts;
mod cron;
mod data;
mod docs;
mod document;
mod envelope;
mod error;
mod error_catalogue;
mod explain;
mod explorer;
mod gate;
mod health;
mod host_id;
mod hosts;
mod identity;
mod keys;
mod mint_body;
mod misread;
mod notifications;
mod operator;
mod overview;
pub mod parameters;
mod peerdb;
mod plugins;
mod routes;
mod schema;
mod system;
mod tables;
mod tools;
mod topology;

pub use document::Document;
pub use envelope::{Envelope, Metadata, Recent, Unavailable, Unreachable};
pub use error::{Problem, Word, enveloped, plugin_problem};
pub use error_catalogue::catalogue_markdown;
pub use gate::{Exemption, Mark, OwnCredential, unauthenticated};
pub use routes::router;

use poem_openapi::Tags;

/// How the document groups operations.
#[derive(Tags)]
pub enum Tag {
    /// Liveness, version, metrics and documents.
    System,
    /// Who is calling, and what they may do.
    Identity,
    /// API keys.
    Keys,
    /// What happened.
    Audit,
    /// The watched ClickHouse servers.
    Hosts,
    /// Tables: rows of a named panel.
    Tables,
    /// Charts: series of a named panel.
    Charts,
    /// The SQL console.
    Explorer,
    /// Tools for agents and scripts.
    Tools,
    /// PeerDB: mirrors, peers and replication slots.
    #[oai(rename = "PeerDB")]
    Peerdb,
    /// What somebody may do to a server.
    Actions,
    /// Alerts.
    Alerts,
    /// Loaded plugins.
    Plugins,
}

/// [`timestamp`] of seconds since the Unix epoch.
fn seconds_timestamp(seconds: i64) -> String {
    milliseconds_timestamp(seconds.saturating_mul(1000))
}

/// [`timestamp`] of milliseconds since the Unix epoch.
fn milliseconds_timestamp(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// ISO 8601 in UTC with milliseconds.
pub fn timestamp(time: std::time::SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}
