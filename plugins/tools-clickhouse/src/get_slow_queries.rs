//! `get_slow_queries`: the finished queries that took longest.

use chm_plugin::host::clickhouse;
use chm_plugin::tools::Tool;
use chm_plugin::{Failure, Feature};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{answer, schema};

const DEFAULT_LIMIT: u32 = 10;
const MOST: u32 = 1000;
const DEFAULT_HOURS: u32 = 24;
const MOST_HOURS: u32 = 8760;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Arguments {
    #[serde(default)]
    host_id: u32,
    #[serde(default = "default_limit")]
    limit: u32,
    #[serde(default = "default_hours")]
    last_hours: u32,
}

fn default_limit() -> u32 {
    DEFAULT_LIMIT
}

fn default_hours() -> u32 {
    DEFAULT_HOURS
}

pub(crate) fn describe() -> Tool {
    let number = |most: u32, default: u32, description: &str| {
        json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default, "description": description })
    };
    Tool::reading("get_slow_queries", Feature::Queries)
        .title("Get slow queries")
        .summary("Lists the finished queries that took longest, with the first 200 characters of each.")
        .input(&schema::arguments(
            json!({
                "limit": number(MOST, DEFAULT_LIMIT, "How many."),
                "lastHours": number(MOST_HOURS, DEFAULT_HOURS, "How far to look back, in hours."),
            }),
            &[],
        ))
        .output(&schema::rows(
            "queries",
            json!({
                "query_id": { "type": "string" },
                "user": { "type": "string" },
                "query_start_time": { "type": "string" },
                "query_duration_ms": { "type": "integer" },
                "query": { "type": "string", "description": "The first 200 characters." },
                "read_rows": { "type": "integer" },
                "read_bytes": { "type": "integer" },
                "memory_usage": { "type": "integer", "description": "Bytes." },
            }),
        ))
}

pub(crate) fn call(arguments: Arguments) -> Result<Value, Failure> {
    let limit = arguments.limit.clamp(1, MOST);
    // The date alone selects the partitions; a day of margin, for the session may be in another time zone than the log.
    let queries = clickhouse::query(
        "SELECT query_id, user, query_start_time, query_duration_ms, substringUTF8(query_log.query, 1, 200) AS query, \
         read_rows, read_bytes, memory_usage FROM system.query_log AS query_log \
         WHERE type = 'QueryFinish' AND event_date >= toDate(now() - toIntervalHour({hours:UInt32})) - 1 \
         AND event_time >= now() - toIntervalHour({hours:UInt32}) \
         ORDER BY query_duration_ms DESC LIMIT {limit:UInt32}",
    )
    .bind("hours", arguments.last_hours.clamp(1, MOST_HOURS))
    .bind("limit", limit)
    .max_rows(limit)
    .read(arguments.host_id)?;
    answer::rows("queries", &queries)
}
