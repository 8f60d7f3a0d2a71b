//! `get_table_schema`: the columns of a table.

use chm_plugin::host::clickhouse;
use chm_plugin::tools::Tool;
use chm_plugin::{Failure, Feature};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{answer, schema};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Arguments {
    database: String,
    table: String,
    #[serde(default)]
    host_id: u32,
}

pub(crate) fn describe() -> Tool {
    Tool::reading("get_table_schema", Feature::Tables)
        .title("Get a table's schema")
        .summary("Lists the columns of a table in order: type, default, comment, and which keys they belong to.")
        .input(&schema::arguments(
            json!({ "database": schema::text("Name of the database."), "table": schema::text("Name of the table.") }),
            &["database", "table"],
        ))
        .output(&schema::rows(
            "columns",
            json!({
                "name": { "type": "string" },
                "type": { "type": "string" },
                "default_kind": { "type": "string", "description": "DEFAULT, MATERIALIZED, ALIAS, EPHEMERAL or empty." },
                "default_expression": { "type": "string" },
                "comment": { "type": "string" },
                "is_in_partition_key": { "type": "integer" },
                "is_in_sorting_key": { "type": "integer" },
                "is_in_primary_key": { "type": "integer" },
            }),
        ))
}

pub(crate) fn call(arguments: Arguments) -> Result<Value, Failure> {
    let Arguments { database, table, host_id } = arguments;
    let columns = clickhouse::query(
        "SELECT name, type, default_kind, default_expression, comment, is_in_partition_key, is_in_sorting_key, \
         is_in_primary_key FROM system.columns \
         WHERE database = {database:String} AND table = {table:String} ORDER BY position",
    )
    .bind("database", &database)
    .bind("table", &table)
    .max_rows(10_000)
    .read(host_id)?;
    if columns.count == 0 {
        return Err(Failure::not_found(format!("there is no table `{database}.{table}`; list_tables names them")));
    }
    answer::rows("columns", &columns)
}
