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
    /// Present when the panel cannot be shown on this server; `data` is empty then.
    pub unavailable: Option<Unavailable>,
}

/// Why a panel cannot be shown.
#[derive(Debug, Clone, Object)]
#[oai(rename_all = "camelCase")]
pub struct Unavailable {
    /// `table_not_found` or `version`.
    pub reason: String,
    /// In words.
    pub message: String,
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
