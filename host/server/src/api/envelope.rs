//! The envelopes of contract §2.1 and §2.2.

use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use serde_json::Value;

/// A successful answer.
#[derive(Debug, Clone, Object)]
pub struct Envelope<T: Type + ParseFromJSON + ToJSON + Send + Sync> {
    /// Always true.
    pub success: bool,
    /// What was asked for.
    pub data: T,
    /// How it came about.
    pub metadata: Metadata,
}

impl<T: Type + ParseFromJSON + ToJSON + Send + Sync> Envelope<T> {
    /// An answer that did not come from ClickHouse.
    pub fn of(data: T) -> Self {
        Self { success: true, data, metadata: Metadata::default() }
    }
}

/// How an answer came about.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Metadata {
    /// ClickHouse's query id; empty when no query ran.
    pub query_id: String,
    /// Seconds.
    pub duration: f64,
    /// Rows in `data`.
    pub rows: u64,
    /// The ClickHouse host's id; empty when the answer is about none.
    pub host: String,
    /// True if and only if there was at least one more row.
    pub truncated: bool,
    /// The server's version, when it is known.
    pub clickhouse_version: Option<String>,
    /// Columns that this server does not have; they are null in every row.
    #[oai(default, skip_serializing_if_is_empty)]
    pub absent_columns: Vec<String>,
    /// Servers or replicas that should be in the answer and are not.
    #[oai(default, skip_serializing_if_is_empty)]
    pub unreachable: Vec<Unreachable>,
    /// Where `data` is empty because nothing happens now: what happened last.
    pub recent: Option<Recent>,
    /// Where one thing was looked for: whether it is there.
    pub found: Option<bool>,
    /// The statement, where the host wrote it around one of the caller's; credentials are hidden in it.
    pub sql: Option<String>,
    /// Present when the panel cannot be shown on this server; `data` is empty then.
    pub unavailable: Option<Unavailable>,
}

/// A server or replica that is not in the answer.
#[derive(Debug, Clone, Object)]
pub struct Unreachable {
    /// The configured host's id, or the replica's name.
    pub host: String,
    /// In words.
    pub reason: String,
}

/// The recent past of a panel that shows the present.
#[derive(Debug, Clone, Object)]
pub struct Recent {
    /// The table panel that the rows are from.
    pub panel: String,
    /// What it is called.
    pub title: String,
    /// Its rows.
    pub rows: Vec<Value>,
}

/// Why a panel cannot be shown.
#[derive(Debug, Clone, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Unavailable {
    /// `not_granted`, `not_enabled`, `not_in_this_version` or `unknown`.
    pub reason: String,
    /// In words.
    pub message: String,
    /// What an administrator runs or configures to have it: a `GRANT`, or a section of the server's configuration.
    pub remedy: Option<String>,
    /// Tables that the panel needs and the server does not have.
    pub missing_tables: Vec<String>,
}

/// A failed answer.
#[derive(Debug, Clone, Object)]
pub struct ErrorEnvelope {
    /// Always false.
    pub success: bool,
    /// How it came about.
    pub metadata: Metadata,
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ErrorBody {
    /// One of the error catalogue's words, for example `validation_error`.
    #[oai(rename = "type")]
    pub kind: String,
    /// For people: what was expected, and what to do.
    pub message: String,
    /// For programs: the field, near names, ClickHouse's numeric code.
    pub details: Option<Value>,
    /// Seconds to wait, where waiting helps.
    #[oai(rename = "retryAfterSec")]
    pub retry_after_sec: Option<u64>,
}
