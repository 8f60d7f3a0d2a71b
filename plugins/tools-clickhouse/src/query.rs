//! `query`: one reading statement of the caller's own, through the host's guard.

use chm_plugin::host::clickhouse::{self, DEFAULT_MAX_ROWS, QueryError};
use chm_plugin::tools::Tool;
use chm_plugin::{Failure, Feature};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{answer, schema};

/// Most rows a caller may ask for.
const MOST_ROWS: u32 = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Arguments {
    sql: String,
    #[serde(default)]
    host_id: u32,
    #[serde(default = "default_max_rows")]
    max_rows: u32,
}

fn default_max_rows() -> u32 {
    DEFAULT_MAX_ROWS
}

pub(crate) fn describe() -> Tool {
    let max_rows = json!({
        "type": "integer",
        "minimum": 1,
        "maximum": MOST_ROWS,
        "default": DEFAULT_MAX_ROWS,
        "description": "Most rows in the answer.",
    });
    let sql = schema::text("One reading statement (SELECT, SHOW, DESCRIBE, EXPLAIN, …), without FORMAT or SETTINGS.");
    // Arbitrary statements may cost: they need the right to write.
    Tool::writing("query", Feature::Tables)
        .title("Query")
        .summary("Runs one reading statement and returns its rows. Statements that change anything are refused.")
        .input(&schema::arguments(json!({ "sql": sql, "maxRows": max_rows }), &["sql"]))
        .output(&schema::rows("rows", json!({})))
}

pub(crate) fn call(arguments: Arguments) -> Result<Value, Failure> {
    let rows = clickhouse::query(arguments.sql)
        .max_rows(arguments.max_rows.clamp(1, MOST_ROWS))
        .read(arguments.host_id)
        .map_err(QueryError::of_callers_statement)?;
    answer::rows("rows", &rows)
}
