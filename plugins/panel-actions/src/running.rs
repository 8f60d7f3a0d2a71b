//! The query that an id means, and the host that started it.

use chm_plugin::Failure;
use chm_plugin::actions::Context;
use chm_plugin::host::clickhouse;
use serde::Deserialize;

/// A running query, as its server lists it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Running {
    pub(crate) user: String,
    /// Whether a client started it here, rather than another server a part of it.
    is_initial: u8,
    initial_query_id: String,
    initial_address: String,
    initial_port: u32,
    /// Seconds.
    pub(crate) elapsed: f64,
    pub(crate) memory_bytes: f64,
    pub(crate) is_cancelled: u8,
    /// Another query under the same id has another one.
    pub(crate) identity: String,
    /// The first 200 characters.
    pub(crate) text: String,
}

/// What an id means: the queries that a client started under it, nearly always one, on the host that they were sent to.
#[derive(Debug)]
pub(crate) struct Initiated {
    pub(crate) host: u32,
    pub(crate) query_id: String,
    pub(crate) queries: Vec<Running>,
    /// Whether the caller named a part of it.
    pub(crate) by_part: bool,
}

/// Columns that every server has. The 64-bit ones are converted, for old servers write those as texts.
const COLUMNS: &str = "user, toUInt8(is_initial_query) AS is_initial, initial_query_id, \
     toString(initial_address) AS initial_address, initial_port, elapsed, toFloat64(memory_usage) AS memory_bytes, \
     toUInt8(is_cancelled) AS is_cancelled, \
     toString(cityHash64(user, toString(address), toString(port), query)) AS identity, substringUTF8(query, 1, 200) AS text";

/// The id that the caller sent.
pub(crate) fn query_id(context: &Context) -> Result<&str, Failure> {
    context.parameter("queryId").filter(|id| !id.trim().is_empty()).ok_or_else(|| {
        Failure::invalid_input(
            "parameter `queryId`: expected the id of a running query, for example from the table running-queries",
        )
    })
}

/// What runs under an id on a host.
pub(crate) fn on_host(host: u32, query_id: &str) -> Result<Vec<Running>, Failure> {
    clickhouse::query(format!(
        "SELECT {COLUMNS} FROM system.processes WHERE query_id = {{query_id:String}} ORDER BY identity"
    ))
    .bind("query_id", query_id)
    .rows(host)
}

/// That nothing runs under an id.
pub(crate) fn nothing(host: u32, query_id: &str) -> Failure {
    Failure::not_found(format!(
        "no query `{query_id}` runs on ClickHouse host {host}: it has ended, or runs on another host; the table \
         running-queries lists what runs"
    ))
}

/// The query that the caller named, where it was started: stopping a part of a distributed query makes the whole fail at best, and
/// stopping the whole stops all its parts.
pub(crate) fn initiated(context: &Context) -> Result<Initiated, Failure> {
    let (host, query_id) = (context.host, query_id(context)?);
    let found = on_host(host, query_id)?;
    let Some(first) = found.first().cloned() else { return Err(nothing(host, query_id)) };
    let here = started_by_a_client(found);
    if !here.is_empty() {
        return Ok(Initiated { host, query_id: query_id.to_owned(), queries: here, by_part: false });
    }
    let mut silent = Vec::new();
    for candidate in clickhouse::hosts() {
        match on_host(candidate.id, &first.initial_query_id).map(started_by_a_client) {
            Ok(queries) if queries.is_empty() => {}
            Ok(queries) => {
                let query_id = first.initial_query_id.clone();
                return Ok(Initiated { host: candidate.id, query_id, queries, by_part: true });
            }
            Err(_) => silent.push(format!("{} ({})", candidate.id, candidate.name)),
        }
    }
    let silent = if silent.is_empty() {
        String::new()
    } else {
        format!(" Not asked, for they do not answer: hosts {}.", silent.join(", "))
    };
    Err(Failure::not_found(format!(
        "`{query_id}` is a part of the query `{}`, which was started from {} port {} and runs on none of the configured ClickHouse \
         hosts.{silent} Stop it on the server that it was sent to, or add that server to the configuration",
        first.initial_query_id, first.initial_address, first.initial_port
    )))
}

fn started_by_a_client(mut found: Vec<Running>) -> Vec<Running> {
    found.retain(|query| query.is_initial == 1);
    found
}
