//! The host's own parameters: how each is read, and how the document shows it.

use std::sync::Arc;

use chm_access::Caller;
use chm_clickhouse::Format;
use chm_clickhouse::Host;
use chm_sandbox::bindings::panels::{Shape, Source};
use serde_json::{Map, Value, json};

use super::error::{Problem, Word};
use crate::app::App;
use crate::hosts::HostRefusal;
use crate::panels::{Filter, MOST_OFFSET, sortable};
use crate::plugins::Panel;

/// What a client may ask the rows to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFormat {
    /// The envelope.
    Json,
    /// One of ClickHouse's own formats, passed through.
    Raw(Format),
}

impl AnswerFormat {
    /// Words that clients send.
    pub const WORDS: [&'static str; 6] = ["json", "ndjson", "csv", "tsv", "parquet", "arrow"];

    /// Reads a word; ClickHouse's own names are accepted too, as the contract's console has them.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "json" | "JSON" | "JSONEachRow" => Ok(Self::Json),
            "ndjson" => Ok(Self::Raw(Format::JsonEachRow)),
            "csv" | "CSV" | "CSVWithNames" => Ok(Self::Raw(Format::Csv)),
            "tsv" | "TSV" | "TSVWithNames" | "TabSeparatedWithNames" => Ok(Self::Raw(Format::Tsv)),
            "parquet" | "Parquet" => Ok(Self::Raw(Format::Parquet)),
            "arrow" | "ArrowStream" => Ok(Self::Raw(Format::ArrowStream)),
            _ => Err(Problem::invalid(
                "format",
                format!("parameter `format`: expected one of {}", Self::WORDS.join(", ")),
            )),
        }
    }

    /// Whether the rows are in the envelope, with metadata.
    #[must_use]
    pub fn is_envelope(self) -> bool {
        self == Self::Json
    }

    /// Whether the host sees single rows, and can hide credentials in them on their way.
    #[must_use]
    pub fn has_rows(self) -> bool {
        match self {
            Self::Json => true,
            Self::Raw(format) => format.has_rows(),
        }
    }

    /// The media type of the answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Raw(format) => format.content_type(),
        }
    }
}

/// `hostId`: decimal digits only; missing means 0. The caller must be allowed to see the server.
pub fn host(app: &App, caller: &Caller, sent: Option<&str>) -> Result<(u32, Arc<Host>), Problem> {
    let text = sent.unwrap_or("0");
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = digits.then(|| text.parse::<u32>().ok()).flatten().ok_or_else(|| {
        Problem::invalid("hostId", "parameter `hostId`: expected a whole number, the position of a configured host")
    })?;
    match app.hosts.get(id, Some(caller)) {
        Ok(host) => Ok((id, host.clone())),
        Err(HostRefusal::Unknown(_)) => Err(no_such_host(app, caller, id)),
        Err(closed @ HostRefusal::Closed(_)) => Err(Problem::new(Word::Permission, closed.to_string())),
    }
}

fn no_such_host(app: &App, caller: &Caller, id: u32) -> Problem {
    if app.hosts.is_empty() {
        return Problem::new(
            Word::Network,
            "no ClickHouse host is configured; set CLICKHOUSE_HOST or [[clickhouse.hosts]]",
        );
    }
    let ids: Vec<String> = app.hosts.seen_by(Some(caller)).map(|(id, _)| id.to_string()).collect();
    Problem::invalid("hostId", format!("Invalid hostId: {id}. Available hosts: {}", ids.join(", ")))
}

/// What [`timezone`] accepts, for the document.
const TIMEZONE_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$";

/// `timezone`: the letters an IANA name is made of; ClickHouse knows the names themselves.
pub fn timezone(name: &str) -> Result<String, Problem> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+'))
        && !name.contains("//")
        && !name.ends_with('/');
    if fits {
        Ok(name.to_owned())
    } else {
        Err(Problem::invalid("timezone", "parameter `timezone`: expected an IANA name, for example Europe/Berlin"))
    }
}

/// The host's own parameters of panel routes that are the same for all panels: components of the document, by name.
#[must_use]
pub fn shared_openapi() -> Map<String, Value> {
    let parameters = [
        json!({"name": "hostId", "in": "query", "required": false,
            "description": "Position of the ClickHouse host in the configuration.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0, "default": 0}}),
        json!({"name": "scope", "in": "query", "required": false,
            "description": "Which servers: the host; every replica of a cluster, with `cluster`, which adds the column `replica_host`; or all \
                configured hosts side by side, which adds `hostId` and `hostName`. Servers that do not answer are named in \
                `metadata.unreachable`.",
            "schema": {"type": "string", "enum": ["host", "cluster", "hosts"], "default": "host"}}),
        json!({"name": "cluster", "in": "query", "required": false,
            "description": "Name of a cluster, all of whose replicas are asked.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 128}}),
        json!({"name": "offset", "in": "query", "required": false, "description": "Rows to skip.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": MOST_OFFSET, "default": 0}}),
        json!({"name": "format", "in": "query", "required": false,
            "description": "The envelope (`json`), or the bare rows.",
            "schema": {"type": "string", "enum": AnswerFormat::WORDS, "default": "json"}}),
        json!({"name": "timezone", "in": "query", "required": false,
            "description": "IANA name; times are shown and grouped in it.",
            "schema": {"type": "string", "maxLength": 64, "pattern": TIMEZONE_PATTERN}}),
    ];
    let named = |parameter: Value| Some((parameter["name"].as_str()?.to_owned(), parameter));
    parameters.into_iter().filter_map(named).collect()
}

/// The parameters of a panel, as OpenAPI parameter objects.
#[must_use]
pub fn openapi(panel: &Panel) -> Vec<Value> {
    let shared = |name: &&str| json!({"$ref": format!("#/components/parameters/{name}")});
    let is_chart = panel.described.shape == Shape::Chart;
    let fetched = panel.described.source == Source::Fetched;
    let mut parameters: Vec<Value> = match (is_chart, fetched) {
        (_, true) => ["hostId", "format"].iter().map(shared).collect(),
        (true, _) => ["hostId", "scope", "cluster", "format", "timezone"].iter().map(shared).collect(),
        (false, _) => ["hostId", "scope", "cluster", "offset", "format", "timezone"].iter().map(shared).collect(),
    };
    let cap = panel.described.row_cap;
    parameters.push(json!({"name": "limit", "in": "query", "required": false, "description": "Most rows.",
        "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": cap, "default": panel.default_limit()}}));
    let columns: Vec<String> = sortable(panel).flat_map(|column| [column.to_owned(), format!("-{column}")]).collect();
    if !is_chart && !columns.is_empty() {
        parameters.push(json!({"name": "sort", "in": "query", "required": false,
            "description": "Column to order by; with `-`, the greatest first.",
            "schema": {"type": "string", "enum": columns}}));
    }
    parameters.extend(panel.parameters.iter().map(|parameter| parameter.openapi()));
    parameters.extend(panel.filters.iter().map(Filter::openapi));
    parameters
}
