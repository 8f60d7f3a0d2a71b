//! Answers made of rows: run a panel's query and stream ClickHouse's bytes to the client.

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use chm_access::Caller;
use chm_clickhouse::{ErrorKind, GuardedQuery, Host, Presence, ReadError, ReadOptions, Rows, TableName};
use chm_sandbox::CallScope;
use chm_sandbox::Role;
use chm_sandbox::bindings::panels::{Context, Shape, Source as PanelSource};
use chm_sandbox::bindings::types::Binding;
use futures::StreamExt;
use poem::http::header;
use poem::{Body, Response};
use serde_json::json;

use super::envelope::{Envelope, Metadata, Unavailable};
use super::error::{Problem, Word, plugin_problem};
use super::parameters::{AnswerFormat, PanelQuery};
use crate::app::App;
use crate::plugins::Panel;
use crate::query::{self, Reading, Source};
use crate::services::CallServices;
use crate::telemetry::QuerySource;

/// Bytes gathered before they are sent on. What fits in here is known to have succeeded when the status is sent.
const CHUNK_BYTES: usize = 64 << 10;

/// Answers a panel request.
pub async fn panel(
    app: &Arc<App>,
    caller: &Caller,
    request_id: &str,
    panel: &Panel,
    query: &str,
) -> Result<Response, Problem> {
    let query = PanelQuery::parse(app, caller, panel, query)?;
    if let Some(grant) = &panel.plugin.grants().clickhouse
        && !grant.hosts.contains(query.host_id)
    {
        let message = format!("plugin {} was not granted host {}", panel.plugin.id(), query.host_id);
        return Err(Problem::new(Word::Permission, message));
    }
    let server = match panel.described.source {
        // Rows that a plugin brings do not need ClickHouse to answer.
        PanelSource::Fetched => query.host.version().await.ok(),
        PanelSource::Described | PanelSource::Planned => Some(query.host.version().await?),
    };
    let run = Run { app, caller, request_id, panel, query: &query, server };
    match panel.described.source {
        PanelSource::Described => {
            let version = run.server.as_deref().and_then(|text| text.parse().ok());
            match panel.query_for(version) {
                Some(guarded) => run.read(guarded, query.bindings.clone()).await,
                None => Ok(run.unavailable(run.too_old())),
            }
        }
        PanelSource::Planned => {
            let planned = run.call(panel.plugin.plan(run.scope(), &panel.described.id, &run.context())).await?;
            let guarded = GuardedQuery::check(&planned.sql).map_err(|refusal| {
                tracing::warn!(plugin = panel.plugin.id(), %refusal, "a planned query was refused");
                Problem::new(
                    Word::Plugin,
                    format!("plugin {} planned a query that the guard refuses", panel.plugin.id()),
                )
            })?;
            let bindings = planned.bindings.into_iter().map(|bound| (bound.name, bound.value)).collect();
            run.read(&guarded, bindings).await
        }
        PanelSource::Fetched => {
            let rows = run.call(panel.plugin.fetch(run.scope(), &panel.described.id, &run.context())).await?;
            run.finished(rows, false).await
        }
    }
}

struct Run<'a> {
    app: &'a Arc<App>,
    caller: &'a Caller,
    request_id: &'a str,
    panel: &'a Panel,
    query: &'a PanelQuery,
    server: Option<String>,
}

impl Run<'_> {
    fn source(&self) -> Source<'_> {
        Source {
            kind: match self.panel.described.shape {
                Shape::Table => QuerySource::Table,
                Shape::Chart => QuerySource::Chart,
                Shape::Counter | Shape::ClusterCounter => QuerySource::Counter,
            },
            request_id: self.request_id,
            caller: Some(self.caller),
            plugin: self.panel.plugin.id(),
            item: &self.panel.name,
        }
    }

    fn scope(&self) -> CallScope {
        let plugin = self.panel.plugin.id();
        CallServices::new(self.app.clone(), plugin, self.request_id, Some(self.caller.clone())).into_scope()
    }

    fn context(&self) -> Context {
        let bind = |(name, value): &(String, String)| Binding { name: name.clone(), value: value.clone() };
        Context {
            host: self.query.host_id,
            server_version: self.server.clone(),
            parameters: self.query.bindings.iter().map(bind).collect(),
        }
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, chm_sandbox::CallError>>) -> Result<T, Problem> {
        let plugin = &self.panel.plugin;
        self.app.observed(plugin, Role::Panels, call).await.map_err(|error| plugin_problem(plugin.id(), &error))
    }

    fn options(&self, bindings: Vec<(String, String)>) -> ReadOptions {
        let mut options = query::options(self.app, &self.source(), bindings, self.query.limit);
        if let Some(grant) = &self.panel.plugin.grants().clickhouse {
            options.max_rows = options.max_rows.min(u64::from(grant.max_rows));
            options.max_bytes = options.max_bytes.min(grant.max_bytes);
        }
        options.timezone.clone_from(&self.query.timezone);
        options
    }

    async fn read(&self, guarded: &GuardedQuery, bindings: Vec<(String, String)>) -> Result<Response, Problem> {
        let options = self.options(bindings);
        let outcome = if self.panel.described.transforms {
            match query::collect(self.app, &self.query.host, guarded, options, &self.source()).await {
                Ok(rows) => return self.transformed(rows).await,
                Err(error) => Err(error),
            }
        } else {
            stream(self.app, &self.query.host, guarded, options, self.query.format, &self.source()).await
        };
        match outcome {
            Err(error) if is_missing(&error) => {
                Ok(self.unavailable(self.missing(&error).await))
            }
            outcome => outcome.map_err(Problem::from),
        }
    }

    async fn transformed(&self, rows: query::Collected) -> Result<Response, Problem> {
        let panel = self.panel;
        let context = self.context();
        let call = panel.plugin.transform(self.scope(), &panel.described.id, &context, rows.json);
        let changed = self.call(call).await?;
        self.finished(changed, rows.truncated).await
    }

    /// Rows that a guest made: they must be what they claim to be.
    async fn finished(&self, rows: Vec<u8>, truncated: bool) -> Result<Response, Problem> {
        let bad = || {
            Problem::new(
                Word::Plugin,
                format!("plugin {} returned rows that are no JSON array", self.panel.plugin.id()),
            )
        };
        let mut rows: Vec<serde_json::Value> = serde_json::from_slice(&rows).map_err(|_| bad())?;
        let truncated = truncated || rows.len() > self.query.limit as usize;
        rows.truncate(self.query.limit as usize);
        if self.query.format != AnswerFormat::Json {
            return Err(Problem::invalid(
                "format",
                "parameter `format`: this panel's rows come from a plugin; only json is possible",
            ));
        }
        let metadata = Metadata {
            rows: rows.len() as u64,
            host: self.query.host_id.to_string(),
            truncated,
            clickhouse_version: self.server.clone(),
            ..Metadata::default()
        };
        Ok(json_response(&Envelope { success: true, data: serde_json::Value::Array(rows), metadata }))
    }

    fn too_old(&self) -> Unavailable {
        let oldest = self.panel.oldest_version().map(|version| version.to_string()).unwrap_or_default();
        let server = self.server.as_deref().unwrap_or("unknown");
        Unavailable {
            reason: "version".to_owned(),
            message: format!("this panel needs ClickHouse {oldest} or newer; the server is {server}"),
            missing_tables: Vec::new(),
        }
    }

    async fn missing(&self, error: &ReadError) -> Unavailable {
        let tables: Vec<String> = self.panel.described.requires.iter().map(|needed| needed.table.clone()).collect();
        let names: Vec<TableName> = tables.iter().filter_map(|table| TableName::parse(table).ok()).collect();
        let presence = self.query.host.tables_present(&names).await;
        let absent = names.iter().zip(presence).filter(|(_, presence)| *presence == Presence::Absent);
        let missing: Vec<String> = absent.map(|(name, _)| format!("{}.{}", name.database(), name.table())).collect();
        let message = if missing.is_empty() {
            format!("this server does not have what the panel reads: {error}")
        } else {
            format!("this server has no {}; it is not enabled, or not in this version", missing.join(", "))
        };
        Unavailable { reason: "table_not_found".to_owned(), message, missing_tables: missing }
    }

    fn unavailable(&self, unavailable: Unavailable) -> Response {
        let metadata = Metadata {
            host: self.query.host_id.to_string(),
            clickhouse_version: self.server.clone(),
            unavailable: Some(unavailable),
            ..Metadata::default()
        };
        json_response(&Envelope { success: true, data: json!([]), metadata })
    }
}

fn is_missing(error: &ReadError) -> bool {
    matches!(error.kind(), ErrorKind::TableNotFound | ErrorKind::ColumnNotFound)
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
            unavailable: None,
        }
        .to_json_string()
    }
}
