//! Query strings of panel routes: the host's own parameters, and those the panel declares. Anything else is an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use chm_access::{Caller, did_you_mean};
use chm_clickhouse::Format;
use chm_clickhouse::Host;
use chm_sandbox::bindings::panels::Shape;
use serde_json::{Map, Value, json};

use super::error::{Problem, Word};
use crate::app::App;
use crate::hosts::HostRefusal;
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
    pub const WORDS: [&'static str; 4] = ["json", "ndjson", "csv", "tsv"];

    /// Reads a word; ClickHouse's own names are accepted too, as the contract's console has them.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "json" | "JSON" | "JSONEachRow" => Ok(Self::Json),
            "ndjson" => Ok(Self::Raw(Format::JsonEachRow)),
            "csv" | "CSV" => Ok(Self::Raw(Format::Csv)),
            "tsv" | "TSV" => Ok(Self::Raw(Format::Tsv)),
            _ => Err(Problem::invalid(
                "format",
                format!("parameter `format`: expected one of {}", Self::WORDS.join(", ")),
            )),
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

/// The parsed query string of a panel route.
#[derive(Debug)]
pub struct PanelQuery {
    /// Position of the ClickHouse host.
    pub host_id: u32,
    /// The server.
    pub host: Arc<Host>,
    /// The answer's form.
    pub format: AnswerFormat,
    /// Most rows wanted, within the panel's cap.
    pub limit: u32,
    /// A valid IANA name, when one was given.
    pub timezone: Option<String>,
    /// Values for the panel's placeholders.
    pub bindings: Vec<(String, String)>,
}

impl PanelQuery {
    /// Reads and checks everything.
    pub fn parse(app: &App, caller: &Caller, panel: &Panel, query: &str) -> Result<Self, Problem> {
        let mut sent = pairs(query)?;
        let (host_id, host) = host(app, caller, sent.remove("hostId").as_deref())?;
        let format = sent.remove("format").map_or(Ok(AnswerFormat::Json), |word| AnswerFormat::parse(&word))?;
        let limit = limit(sent.remove("limit").as_deref(), panel.described.row_cap)?;
        let timezone = sent.remove("timezone").map(|name| timezone(&name)).transpose()?;
        if panel.described.shape == Shape::Chart {
            unfold_params(&mut sent)?;
        }
        let mut bindings = Vec::new();
        for parameter in &panel.parameters {
            let value = parameter.value(sent.remove(parameter.name()).as_deref())?;
            bindings.push((parameter.name().to_owned(), value));
        }
        if let Some(name) = sent.keys().next() {
            let own = panel.parameters.iter().map(|parameter| parameter.name());
            let known: Vec<&str> = own.chain(["hostId", "format", "limit", "timezone"]).collect();
            let near = did_you_mean(name, known.iter().copied());
            let message = format!("parameter `{name}` is unknown here{near}; known are {}", known.join(", "));
            return Err(Problem::invalid(name, message));
        }
        Ok(Self { host_id, host, format, limit, timezone, bindings })
    }
}

/// Decodes a query string; a parameter sent twice is an error, not a guess.
fn pairs(query: &str) -> Result<BTreeMap<String, String>, Problem> {
    let mut sent = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if sent.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            return Err(Problem::invalid(&name, format!("parameter `{name}` was sent twice; send it once")));
        }
    }
    Ok(sent)
}

/// `params` of charts: a JSON object with further parameters, as the contract's clients send them (contract §4.4).
fn unfold_params(sent: &mut BTreeMap<String, String>) -> Result<(), Problem> {
    let Some(text) = sent.remove("params") else { return Ok(()) };
    let bad = |why: &str| Problem::invalid("params", format!("parameter `params`: {why}"));
    let object: Map<String, Value> =
        serde_json::from_str(&text).map_err(|_| bad("expected a JSON object such as {\"name\":\"default\"}"))?;
    if object.len() > 20 {
        return Err(bad("expected at most 20 keys"));
    }
    for (name, value) in object {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Array(_) | Value::Object(_) => return Err(bad("its values must be texts, numbers or booleans")),
        };
        if sent.insert(name.clone(), value).is_some() {
            return Err(Problem::invalid(&name, format!("parameter `{name}` was sent twice; send it once")));
        }
    }
    Ok(())
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

/// `limit`: within the cap of the panel.
fn limit(sent: Option<&str>, cap: u32) -> Result<u32, Problem> {
    let Some(text) = sent else { return Ok(cap) };
    match text.parse::<u32>() {
        Ok(limit) if (1..=cap).contains(&limit) => Ok(limit),
        _ => Err(Problem::invalid("limit", format!("parameter `limit`: expected a whole number from 1 to {cap}"))),
    }
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

/// The host's own parameters of panel routes, as OpenAPI parameter objects.
#[must_use]
pub fn openapi(row_cap: u32) -> Vec<Value> {
    vec![
        json!({"name": "hostId", "in": "query", "required": false,
            "description": "Position of the ClickHouse host in the configuration.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0, "default": 0}}),
        json!({"name": "limit", "in": "query", "required": false, "description": "Most rows.",
            "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": row_cap, "default": row_cap}}),
        json!({"name": "format", "in": "query", "required": false,
            "description": "The envelope (`json`), or the bare rows.",
            "schema": {"type": "string", "enum": AnswerFormat::WORDS, "default": "json"}}),
        json!({"name": "timezone", "in": "query", "required": false,
            "description": "IANA name; times are shown and grouped in it.",
            "schema": {"type": "string", "maxLength": 64, "pattern": TIMEZONE_PATTERN}}),
    ]
}
