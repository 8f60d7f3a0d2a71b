//! `get_running_queries`: what runs now.

use chm_plugin::host::clickhouse;
use chm_plugin::tools::Tool;
use chm_plugin::{Failure, Feature};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{answer, schema};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Arguments {
    #[serde(default)]
    host_id: u32,
}

pub(crate) fn describe() -> Tool {
    Tool::reading("get_running_queries", Feature::Queries)
        .title("Get running queries")
        .summary("Lists what runs now, longest first: user, elapsed seconds, rows and bytes read, memory.")
        .input(&schema::arguments(json!({}), &[]))
        .output(&schema::rows(
            "queries",
            json!({
                "query_id": { "type": "string" },
                "user": { "type": "string" },
                "elapsed": { "type": "number", "description": "Seconds." },
                "query": { "type": "string" },
                "read_rows": { "type": "integer" },
                "read_bytes": { "type": "integer" },
                "total_rows_approx": { "type": "integer" },
                "memory_usage": { "type": "integer", "description": "Bytes." },
            }),
        ))
}

pub(crate) fn call(arguments: Arguments) -> Result<Value, Failure> {
    let queries = clickhouse::query(
        "SELECT query_id, user, elapsed, query, read_rows, read_bytes, total_rows_approx, memory_usage \
         FROM system.processes WHERE is_cancelled = 0 AND query_id != queryID() ORDER BY elapsed DESC",
    )
    .max_rows(10_000)
    .read(arguments.host_id)?;
    answer::rows("queries", &queries)
}
