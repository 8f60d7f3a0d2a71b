//! Rows in memory: for what the host makes of them, and what plugins bring.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use chm_clickhouse::{Format, ReadError};
use poem::Response;
use poem::http::HeaderMap;
use serde_json::Value;

use super::ask::Ask;
use super::flow::Flow;
use super::gather::{Taken, Whole};
use super::{json, respond};
use crate::api::parameters::AnswerFormat;
use crate::api::{Metadata, Problem, Unreachable, Word};

/// A whole result in memory.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    /// A JSON array of objects.
    pub json: Vec<u8>,
    /// How many.
    pub count: u64,
    /// Whether there was at least one more.
    pub truncated: bool,
    /// Servers whose rows are not in it.
    pub unreachable: Vec<Unreachable>,
    /// ClickHouse's query id; of several servers with commas between; empty when no query ran.
    pub query_id: String,
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

/// Reads everything, within the caps, into a JSON array. What is kept and shared is the same as with [`super::answer`].
///
/// # Errors
/// ClickHouse's or the connection's error: where several servers are asked, only when all failed or one broke off.
pub async fn collect(ask: Ask<'_>) -> Result<Collected, ReadError> {
    let mut flow = Flow::begin(Ask { format: AnswerFormat::Json, ..ask }).await?;
    let mut array = BytesMut::from(b"[".as_slice());
    while let Some(lines) = flow.next().await? {
        let is_first = array.len() == 1;
        json::append(&mut array, &lines, is_first);
    }
    array.extend_from_slice(b"]");
    let Metadata { rows, truncated, unreachable, query_id, .. } = flow.metadata();
    Ok(Collected { json: array.into(), count: rows, truncated, unreachable, query_id })
}

/// An answer of rows that are in memory: in the envelope, or one a line.
///
/// # Errors
/// For other formats, which only ClickHouse writes.
pub fn made(rows: Collected, format: AnswerFormat, metadata: Metadata, head: &HeaderMap) -> Result<Response, Problem> {
    let Collected { json, count, truncated, unreachable, query_id } = rows;
    let bad = || {
        Problem::invalid(
            "format",
            "parameter `format`: this panel's rows are not written by ClickHouse; ask for json or ndjson",
        )
    };
    if !matches!(format, AnswerFormat::Json | AnswerFormat::Raw(Format::JsonEachRow)) {
        return Err(bad());
    }
    let rows: Vec<Box<serde_json::value::RawValue>> = serde_json::from_slice(&json).map_err(|_| bad())?;
    let mut lines = BytesMut::with_capacity(json.len());
    for row in rows {
        // Guests may write line feeds between values; there are none within.
        lines.extend(row.get().bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
        lines.extend_from_slice(b"\n");
    }
    let whole = Whole::new(Bytes::new(), lines.freeze(), count, truncated);
    let mut metadata = Metadata { query_id, ..metadata };
    metadata.unreachable.extend(unreachable);
    let flow = Flow::of(VecDeque::from([Taken::Whole(Arc::new(whole))]), metadata, Instant::now());
    Ok(respond::whole(flow, format, std::time::Duration::ZERO, head))
}

/// The envelope with no rows.
#[must_use]
pub fn empty(metadata: Metadata) -> Response {
    let flow = Flow::of(VecDeque::new(), metadata, Instant::now());
    respond::whole(flow, AnswerFormat::Json, std::time::Duration::ZERO, &HeaderMap::new())
}
