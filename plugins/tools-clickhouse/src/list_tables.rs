//! `list_tables`: the tables of a database.

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
    #[serde(default)]
    host_id: u32,
}

pub(crate) fn describe() -> Tool {
    Tool::reading("list_tables", Feature::Tables)
        .title("List tables")
        .summary("Lists the tables of a database, biggest first, with engine, rows, bytes and comment.")
        .input(&schema::arguments(json!({ "database": schema::text("Name of the database.") }), &["database"]))
        .output(&schema::rows(
            "tables",
            json!({
                "name": { "type": "string" },
                "engine": { "type": "string" },
                "total_rows": { "type": ["integer", "null"], "description": "Null where the engine does not count." },
                "total_bytes": { "type": ["integer", "null"], "description": "Null where the engine does not count." },
                "comment": { "type": "string" },
            }),
        ))
}

pub(crate) fn call(arguments: Arguments) -> Result<Value, Failure> {
    let tables = clickhouse::query(
        "SELECT name, engine, total_rows, total_bytes, comment FROM system.tables \
         WHERE database = {database:String} ORDER BY total_bytes DESC NULLS LAST, name",
    )
    .bind("database", &arguments.database)
    .max_rows(10_000)
    .read(arguments.host_id)?;
    if tables.count == 0 && !exists(&arguments)? {
        return Err(Failure::not_found(format!(
            "there is no database `{}`; list_databases names them",
            arguments.database
        )));
    }
    answer::rows("tables", &tables)
}

fn exists(arguments: &Arguments) -> Result<bool, Failure> {
    let databases = clickhouse::query("SELECT name FROM system.databases WHERE name = {database:String}")
        .bind("database", &arguments.database)
        .read(arguments.host_id)?;
    Ok(databases.count > 0)
}
