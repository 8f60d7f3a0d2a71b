//! What is read, from which servers, and how it is shown.

use std::sync::Arc;
use std::time::Duration;

use chm_clickhouse::{GuardedQuery, Host, ReadOptions};
use serde_json::Value;

use crate::api::parameters::AnswerFormat;
use crate::api::{Metadata, Problem, Word};
use crate::app::App;
use crate::query::Source;

/// A read that somebody may have: rights were decided on before.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The host process.
    pub app: &'a Arc<App>,
    /// One for each server; their rows come one after another.
    pub parts: Vec<Part>,
    /// The answer's form.
    pub format: AnswerFormat,
    /// Who asks, through what.
    pub source: Source<'a>,
    /// How old a shared answer may be; zero: never shared, never kept.
    pub cache: Duration,
    /// Rows come newest first and are shown oldest first: what is too much is cut off at the beginning.
    pub reversed: bool,
    /// What is known before the rows are.
    pub metadata: Metadata,
}

/// What one server is asked.
#[derive(Debug)]
pub struct Part {
    /// The server.
    pub host: Arc<Host>,
    /// The statement.
    pub query: GuardedQuery,
    /// Its bindings and limits.
    pub options: ReadOptions,
}

/// A whole result in memory.
#[derive(Debug)]
pub struct Collected {
    /// A JSON array of objects.
    pub json: Vec<u8>,
    /// How many.
    pub count: u64,
    /// Whether there was at least one more.
    pub truncated: bool,
}

impl Collected {
    /// The rows as values.
    ///
    /// # Errors
    /// When they are no JSON, which is the server's or a guest's fault.
    pub fn values(&self) -> Result<Vec<Value>, Problem> {
        serde_json::from_slice(&self.json).map_err(|_| Problem::new(Word::Query, "the rows are no JSON array"))
    }
}
