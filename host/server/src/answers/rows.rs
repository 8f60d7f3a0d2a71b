//! Answers made of rows: run a panel's query and stream ClickHouse's bytes to the client.

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use chm_clickhouse::{GuardedQuery, Host, ReadError, ReadOptions, Rows};
use futures::StreamExt;
use poem::http::{HeaderMap, header};
use poem::{Body, Response};
use serde_json::json;

use super::ask::{Ask, Collected};
use crate::api::parameters::AnswerFormat;
use crate::api::{Envelope, Metadata, Problem};
use crate::app::App;
use crate::query::{self, Reading, Source};

/// Bytes gathered before they are sent on. What fits in here is known to have succeeded when the status is sent.
const CHUNK_BYTES: usize = 64 << 10;

/// Answers with the rows of all parts.
///
/// # Errors
/// When no part has rows to give.
pub async fn answer(ask: Ask<'_>, _head: &HeaderMap) -> Result<Response, ReadError> {
    if ask.parts.len() != 1 || ask.reversed {
        let (format, metadata) = (ask.format, ask.metadata.clone());
        let rows = collect(ask).await?;
        return made(rows, format, metadata, _head).map_err(|_| ReadError::Broken);
    }
    let Some(part) = ask.parts.into_iter().next() else { return Err(ReadError::Broken) };
    stream(ask.app, &part.host, &part.query, part.options, ask.format, &ask.source).await
}

/// Reads everything into memory.
///
/// # Errors
/// When no part has rows to give.
pub async fn collect(ask: Ask<'_>) -> Result<Collected, ReadError> {
    let mut rows: Vec<Bytes> = Vec::new();
    let mut truncated = false;
    for part in ask.parts {
        let mut reading = query::start(ask.app, &part.host, &part.query, part.options, &ask.source).await?;
        while let Some(row) = reading.rows.next_row().await? {
            rows.push(row);
        }
        truncated |= reading.rows.truncated();
    }
    if ask.reversed {
        rows.reverse();
    }
    let count = rows.len() as u64;
    let lines: Vec<&[u8]> = rows.iter().map(|row| row.trim_ascii_end()).collect();
    let json = [b"[".as_slice(), &lines.join(&b","[..]), b"]"].concat();
    Ok(Collected { json, count, truncated })
}

/// Answers with rows that are here.
///
/// # Errors
/// When they cannot be shown in the form asked for.
pub fn made(rows: Collected, format: AnswerFormat, metadata: Metadata, _head: &HeaderMap) -> Result<Response, Problem> {
    if !format.is_envelope() {
        return Err(Problem::invalid(
            "format",
            "parameter `format`: this panel's rows come from a plugin; only json is possible",
        ));
    }
    let data = serde_json::Value::Array(rows.values()?);
    let metadata = Metadata { rows: rows.count, truncated: rows.truncated, ..metadata };
    Ok(json_response(&Envelope { success: true, data, metadata }))
}

/// Answers without rows.
#[must_use]
pub fn empty(metadata: Metadata) -> Response {
    json_response(&Envelope { success: true, data: json!([]), metadata })
}

fn json_response(envelope: &Envelope<serde_json::Value>) -> Response {
    use poem_openapi::types::ToJSON;
    Response::builder().content_type("application/json").body(envelope.to_json_string())
}

/// Runs a query and streams its rows in the wanted form. An error before the first chunk is returned; a later one breaks the
/// connection off, so that a partial answer never looks complete.
///
/// # Errors
/// ClickHouse's or the connection's error.
pub async fn stream(
    app: &Arc<App>,
    host: &Arc<Host>,
    guarded: &GuardedQuery,
    mut options: ReadOptions,
    format: AnswerFormat,
    source: &Source<'_>,
) -> Result<Response, ReadError> {
    let query_id = format!("chm-{}-{}", source.request_id, ulid::Ulid::new());
    options.query_id = Some(query_id.clone());
    if let AnswerFormat::Raw(raw) = format {
        options.format = raw;
    }
    let began = Instant::now();
    let mut reading = query::start(app, host, guarded, options, source).await?;
    let response =
        Response::builder().content_type(format.content_type()).header(header::CACHE_CONTROL, "private, max-age=0");
    match format {
        AnswerFormat::Json => {
            let version = host.version().await.ok();
            let tail = Tail { began, query_id, host_id: host.config().id, version };
            let mut body = JsonRows { reading, tail: Some(tail), started: false };
            let first = body.chunk().await?;
            Ok(response.body(chunks(first, body)))
        }
        AnswerFormat::Raw(_) => {
            let first = futures::stream::iter(reading.rows.next_piece().await?.map(Ok));
            let rest = futures::stream::try_unfold(reading, |mut reading| async move {
                let piece = reading.rows.next_piece().await.map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(piece.map(|piece| (piece, reading)))
            });
            Ok(response.body(Body::from_bytes_stream(first.chain(rest))))
        }
    }
}

fn chunks(first: Option<Bytes>, body: JsonRows) -> Body {
    let first = futures::stream::iter(first.map(Ok));
    let rest = futures::stream::unfold(body, |mut body| async move {
        let chunk = body.chunk().await.transpose()?;
        Some((chunk.map_err(std::io::Error::other), body))
    });
    Body::from_bytes_stream(first.chain(rest))
}

/// What only the end of a result knows.
struct Tail {
    began: Instant,
    query_id: String,
    host_id: usize,
    version: Option<String>,
}

/// Rows as the envelope: `{"success":true,"data":[…],"metadata":{…}}`.
struct JsonRows {
    reading: Reading,
    tail: Option<Tail>,
    started: bool,
}

impl JsonRows {
    async fn chunk(&mut self) -> Result<Option<Bytes>, ReadError> {
        if self.tail.is_none() {
            return Ok(None);
        }
        let mut out = BytesMut::with_capacity(CHUNK_BYTES + 4096);
        let mut separator: &[u8] = b",";
        if !self.started {
            self.started = true;
            out.extend_from_slice(br#"{"success":true,"data":["#);
            separator = b"";
        }
        while out.len() < CHUNK_BYTES {
            let Some(row) = self.reading.rows.next_row().await? else {
                if let Some(tail) = self.tail.take() {
                    out.extend_from_slice(b"],\"metadata\":");
                    out.extend_from_slice(tail.metadata(&self.reading.rows).as_bytes());
                    out.extend_from_slice(b"}");
                }
                break;
            };
            out.extend_from_slice(separator);
            out.extend_from_slice(row.trim_ascii_end());
            separator = b",";
        }
        Ok(Some(out.freeze()))
    }
}

impl Tail {
    fn metadata(self, rows: &Rows) -> String {
        use poem_openapi::types::ToJSON;
        Metadata {
            query_id: self.query_id,
            duration: self.began.elapsed().as_secs_f64(),
            rows: rows.rows(),
            host: self.host_id.to_string(),
            truncated: rows.truncated(),
            clickhouse_version: self.version,
            ..Metadata::default()
        }
        .to_json_string()
    }
}
