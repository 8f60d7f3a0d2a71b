//! Results of tools.

use chm_plugin::Failure;
use chm_plugin::host::clickhouse::Rows;
use serde_json::{Value, json};

/// The rows under a name, and whether there were more.
pub(crate) fn rows(name: &str, rows: &Rows) -> Result<Value, Failure> {
    Ok(json!({ name: rows.parse::<Value>()?, "truncated": rows.truncated }))
}
