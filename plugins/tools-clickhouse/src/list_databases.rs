//! `list_databases`: the databases of a server.

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
    Tool::reading("list_databases", Feature::Tables)
        .title("List databases")
        .summary("Lists the databases of a ClickHouse server, with engine and comment.")
        .input(&schema::arguments(json!({}), &[]))
        .output(&schema::rows(
            "databases",
            json!({ "name": { "type": "string" }, "engine": { "type": "string" }, "comment": { "type": "string" } }),
        ))
}

pub(crate) fn call(arguments: Arguments) -> Result<Value, Failure> {
    let databases = clickhouse::query("SELECT name, engine, comment FROM system.databases ORDER BY name")
        .max_rows(10_000)
        .read(arguments.host_id)?;
    answer::rows("databases", &databases)
}
