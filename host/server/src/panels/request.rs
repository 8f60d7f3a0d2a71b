//! What a client asks of a panel: the query string, read and checked. Anything unknown in it is an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use chm_access::{Caller, did_you_mean};
use chm_clickhouse::Host;
use chm_sandbox::bindings::panels::Shape;
use serde_json::{Map, Value};

use super::cut::{Cut, SortKey};
use super::filter::Condition;
use crate::api::parameters::{self, AnswerFormat};
use crate::api::{Problem, Word};
use crate::app::App;
use crate::plugins::Panel;

/// Farthest a client may page.
pub const MOST_OFFSET: u32 = 1_000_000;

/// Which servers are asked.
#[derive(Debug, Clone)]
pub enum Scope {
    /// One.
    Host(u32, Arc<Host>),
    /// Every replica of the cluster of this name, through one of its servers.
    Cluster(u32, Arc<Host>, String),
    /// Every configured server that the caller may see.
    Hosts(Vec<(u32, Arc<Host>)>),
}

impl Scope {
    /// As a client sends it.
    pub fn as_sent(&self) -> Vec<(String, String)> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        match self {
            Self::Host(id, _) => vec![pair("hostId", id.to_string())],
            Self::Cluster(id, _, cluster) => {
                vec![pair("hostId", id.to_string()), pair("cluster", cluster.clone())]
            }
            Self::Hosts(_) => vec![pair("scope", "hosts".to_owned())],
        }
    }
}

/// A request for a panel, checked.
#[derive(Debug)]
pub struct Request {
    /// The servers.
    pub scope: Scope,
    /// The answer's form.
    pub format: AnswerFormat,
    /// Order and length.
    pub cut: Cut,
    /// Most rows wanted, within the panel's cap.
    pub limit: u32,
    /// A valid IANA name, when one was given.
    pub timezone: Option<String>,
    /// Values for the panel's placeholders.
    pub bindings: Vec<(String, String)>,
    /// What the filters ask.
    pub conditions: Vec<Condition>,
    /// Whether the client narrowed the rows itself, by filter or page.
    pub narrowed: bool,
}

impl Request {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// Names the parameter, and says what was expected.
    pub fn parse(app: &App, caller: &Caller, panel: &Panel, query: &str) -> Result<Self, Problem> {
        Self::from_pairs(app, caller, panel, pairs(query)?)
    }

    /// The same, from names and values that were taken out of their query string.
    ///
    /// # Errors
    /// Names the parameter, and says what was expected.
    pub fn from_pairs(
        app: &App,
        caller: &Caller,
        panel: &Panel,
        mut sent: BTreeMap<String, String>,
    ) -> Result<Self, Problem> {
        let described = &panel.described;
        let is_chart = described.shape == Shape::Chart;
        if is_chart {
            unfold_params(&mut sent)?;
        }
        let scope = scope(app, caller, panel, &mut sent)?;
        let format = sent.remove("format").map_or(Ok(AnswerFormat::Json), |word| AnswerFormat::parse(&word))?;
        let cap = described.row_cap;
        let limit = number(sent.remove("limit"), "limit", 1, cap, panel.default_limit().min(app.answers.rows))?;
        let offset = if is_chart { 0 } else { number(sent.remove("offset"), "offset", 0, MOST_OFFSET, 0)? };
        let order = match sent.remove("sort").filter(|_| !is_chart) {
            Some(text) => sort(&text, panel)?,
            // Of too many rows the last ones stay: they are asked for first, and the answer is turned round.
            None => described
                .order
                .iter()
                .map(|key| SortKey { column: key.column.clone(), descending: key.descending != described.keeps_last })
                .collect(),
        };
        let timezone = sent.remove("timezone").map(|name| parameters::timezone(&name)).transpose()?;
        let narrowed = offset > 0 || panel.filters.iter().any(|filter| sent.contains_key(filter.name()));
        let mut bindings = Vec::new();
        for parameter in &panel.parameters {
            let value = parameter.value(sent.remove(parameter.name()).as_deref())?;
            bindings.push((parameter.name().to_owned(), value));
        }
        let mut conditions = Vec::new();
        for filter in &panel.filters {
            conditions.extend(filter.condition(sent.remove(filter.name()).as_deref())?);
        }
        if let Some(name) = sent.keys().next() {
            return Err(unknown(name, panel));
        }
        let cut = Cut { order, offset, limit: Some(limit) };
        Ok(Self { scope, format, cut, limit, timezone, bindings, conditions, narrowed })
    }
}

fn unknown(name: &str, panel: &Panel) -> Problem {
    let own = panel.parameters.iter().map(|parameter| parameter.name());
    let filters = panel.filters.iter().map(super::Filter::name);
    let paging: &[&str] = if panel.described.shape == Shape::Chart { &[] } else { &["offset", "sort"] };
    let host = ["hostId", "scope", "cluster", "format", "limit", "timezone"];
    let known: Vec<&str> = own.chain(filters).chain(host).chain(paging.iter().copied()).collect();
    let near = did_you_mean(name, known.iter().copied());
    Problem::invalid(name, format!("parameter `{name}` is unknown here{near}; known are {}", known.join(", ")))
}

/// Decodes a query string; a parameter sent twice is an error, not a guess.
///
/// # Errors
/// Names the parameter.
pub fn pairs(query: &str) -> Result<BTreeMap<String, String>, Problem> {
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

/// `scope`, `cluster` and `hostId`. A cluster's name alone asks all of its replicas, as the contract's clients do.
fn scope(app: &App, caller: &Caller, panel: &Panel, sent: &mut BTreeMap<String, String>) -> Result<Scope, Problem> {
    let (word, cluster, host_id) = (sent.remove("scope"), sent.remove("cluster"), sent.remove("hostId"));
    let word = word.as_deref().unwrap_or(if cluster.is_some() { "cluster" } else { "host" });
    match (word, cluster) {
        ("hosts", None) => {
            if host_id.is_some() {
                return Err(Problem::invalid(
                    "hostId",
                    "parameter `hostId`: `scope=hosts` asks all of them; leave it out",
                ));
            }
            // A server whose rows the operator keeps from this plugin is left out, as from a listing.
            let open = |id: u32| panel.plugin.grants().clickhouse.as_ref().is_none_or(|grant| grant.hosts.contains(id));
            let hosts: Vec<_> = app
                .hosts
                .seen_by(Some(caller))
                .filter(|(id, _)| open(*id))
                .map(|(id, host)| (id, host.clone()))
                .collect();
            if hosts.is_empty() {
                return Err(parameters::host(app, caller, None).err().unwrap_or_else(|| not_granted(panel, 0)));
            }
            Ok(Scope::Hosts(hosts))
        }
        ("host", None) => {
            let (id, host) = granted_host(app, caller, panel, host_id.as_deref())?;
            Ok(Scope::Host(id, host))
        }
        ("cluster", Some(name)) => {
            if name.is_empty() || name.len() > 128 {
                return Err(Problem::invalid("cluster", "parameter `cluster`: expected the name of a cluster"));
            }
            let (id, host) = granted_host(app, caller, panel, host_id.as_deref())?;
            Ok(Scope::Cluster(id, host, name))
        }
        ("cluster", None) => Err(Problem::invalid(
            "cluster",
            "parameter `cluster` is required with `scope=cluster`; `/api/v1/tables/clusters` lists their names",
        )),
        ("host" | "hosts", Some(_)) => {
            Err(Problem::invalid("cluster", "parameter `cluster`: it goes with `scope=cluster` only"))
        }
        _ => Err(Problem::invalid("scope", "parameter `scope`: expected one of host, cluster, hosts")),
    }
}

fn granted_host(app: &App, caller: &Caller, panel: &Panel, sent: Option<&str>) -> Result<(u32, Arc<Host>), Problem> {
    let (id, host) = parameters::host(app, caller, sent)?;
    match &panel.plugin.grants().clickhouse {
        Some(grant) if !grant.hosts.contains(id) => Err(not_granted(panel, id)),
        _ => Ok((id, host)),
    }
}

fn not_granted(panel: &Panel, id: u32) -> Problem {
    Problem::new(Word::Permission, format!("plugin {} was not granted host {id}", panel.plugin.id()))
}

fn number(sent: Option<String>, name: &str, least: u32, most: u32, missing: u32) -> Result<u32, Problem> {
    let Some(text) = sent else { return Ok(missing) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(number) if digits && (least..=most).contains(&number) => Ok(number),
        _ => {
            let message = format!("parameter `{name}`: expected a whole number from {least} to {most}");
            Err(Problem::invalid(name, message))
        }
    }
}

/// `sort=column`, or `sort=-column` for the greatest first.
fn sort(text: &str, panel: &Panel) -> Result<Vec<SortKey>, Problem> {
    let (descending, column) = match text.strip_prefix('-') {
        Some(column) => (true, column),
        None => (false, text),
    };
    let known: Vec<&str> = sortable(panel).collect();
    if known.contains(&column) {
        return Ok(vec![SortKey { column: column.to_owned(), descending }]);
    }
    let near = did_you_mean(column, known.iter().copied());
    let message = format!(
        "parameter `sort`: no column `{column}` to sort by{near}; write a column for the least first, or `-` and a column for the \
         greatest first; columns are {}",
        known.join(", ")
    );
    Err(Problem::invalid("sort", message))
}

/// Columns a client may sort by.
pub fn sortable(panel: &Panel) -> impl Iterator<Item = &str> {
    use chm_sandbox::bindings::panels::{ColumnKind, Source};
    let has_statement = panel.described.source != Source::Fetched;
    let columns = panel.described.columns.iter().filter(move |column| has_statement && column.kind != ColumnKind::Json);
    columns.map(|column| column.name.as_str())
}
