//! Running a guarded query for someone: options, deadline, metrics, log comment.

use std::sync::Arc;
use std::time::Instant;

use chm_access::Caller;
use chm_clickhouse::{Claim, GuardedQuery, Holder, Host, ReadError, ReadOptions, Rows};
use serde_json::json;
use tracing::Instrument;

use crate::app::App;
use crate::edge::{ClientAddress, OneCaller};
use crate::telemetry::{Metrics, QuerySource};

/// Who asks, through what. Ends up in ClickHouse's own log as `log_comment`.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// For the metrics.
    pub kind: QuerySource,
    /// The HTTP request's id.
    pub request_id: &'a str,
    /// The caller; absent for work the host started itself.
    pub caller: Option<&'a Caller>,
    /// From where the caller asks; absent for work the host started itself.
    pub address: Option<ClientAddress>,
    /// The plugin, or `host`.
    pub plugin: &'a str,
    /// The panel, tool or route.
    pub item: &'a str,
}

impl Source<'_> {
    /// Of whose share of a server's places the reads are. The host's own work is of nobody's.
    #[must_use]
    pub fn holder(&self) -> Option<Holder> {
        self.address.map(|address| Holder::new(&OneCaller::of(self.caller, address).to_string()))
    }

    /// As ClickHouse's log keeps it.
    #[must_use]
    pub fn log_comment(&self) -> String {
        json!({
            "client": "chm-host",
            "request": self.request_id,
            "principal": self.caller.and_then(Caller::subject),
            "plugin": self.plugin,
            "item": self.item,
        })
        .to_string()
    }
}

/// Options with the host's own caps.
#[must_use]
pub fn options(app: &App, source: &Source<'_>, bindings: Vec<(String, String)>, max_rows: u32) -> ReadOptions {
    ReadOptions {
        parameters: bindings,
        max_rows: u64::from(max_rows.min(app.answers.rows)),
        max_bytes: app.answers.bytes,
        max_execution: app.answers.execution,
        log_comment: Some(source.log_comment()),
        ..ReadOptions::default()
    }
}

/// A read under way: its span lasts until the last row, or until nobody wants more.
#[derive(Debug)]
pub struct Reading {
    /// The rows.
    pub rows: Rows,
    metrics: Arc<Metrics>,
    _span: tracing::Span,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.metrics.add_streamed(self.rows.rows(), self.rows.bytes());
    }
}

/// Starts a read of this claim: it is answered with an error, or its first rows are there.
///
/// # Errors
/// ClickHouse's or the connection's error.
pub async fn start(
    app: &App,
    (host, claim): (&Arc<Host>, &Claim),
    query: &GuardedQuery,
    options: ReadOptions,
    source: &Source<'_>,
) -> Result<Reading, ReadError> {
    let span = tracing::info_span!("query", host = host.config().id, plugin = source.plugin, item = source.item);
    let began = Instant::now();
    let outcome = host.read_for(claim, query, options).instrument(span.clone()).await;
    let word = outcome.as_ref().err().map_or("ok", |error| error.kind().as_str());
    let id = u32::try_from(host.config().id).unwrap_or(u32::MAX);
    app.metrics.observe_query(id, source.kind, word, began.elapsed());
    if let Err(error) = &outcome {
        tracing::info!(
            host = host.config().id, plugin = source.plugin, item = source.item, code = error.code(), %error, "query failed"
        );
    }
    outcome.map(|rows| Reading { rows, metrics: app.metrics.clone(), _span: span })
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

/// Reads everything (within the caps) into a JSON array.
///
/// # Errors
/// ClickHouse's or the connection's error.
pub async fn collect(
    app: &App,
    host: &Arc<Host>,
    query: &GuardedQuery,
    options: ReadOptions,
    source: &Source<'_>,
) -> Result<Collected, ReadError> {
    let claim = host.claim(source.holder().as_ref()).await?;
    let mut reading = start(app, (host, &claim), query, options, source).await?;
    let rows = &mut reading.rows;
    let mut json = vec![b'['];
    while let Some(line) = rows.next_row().await? {
        if json.len() > 1 {
            json.push(b',');
        }
        json.extend_from_slice(line.trim_ascii_end());
    }
    json.push(b']');
    Ok(Collected { json, count: rows.rows(), truncated: rows.truncated() })
}
