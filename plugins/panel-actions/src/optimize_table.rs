use chm_plugin::Failure;
use chm_plugin::actions::{Action, Context, DryRun, Outcome, Parameter, Statement};
use chm_plugin::host::{clickhouse, control};
use serde::Deserialize;
use serde_json::json;

use crate::table_name::TableName;
use crate::words;

pub(crate) const NAME: &str = "optimizeTable";

pub(crate) fn describe() -> Action {
    Action::changing(NAME)
        .title("Optimise table")
        .summary("Merges parts of a MergeTree table now, where that makes sense. It costs disk, memory and time.")
        .uses(Statement::OptimizeTable)
        .parameter(Parameter::text("table").summary("`table` or `database.table`; plain, or in back quotes."))
}

#[derive(Deserialize)]
struct Table {
    database: String,
    name: String,
    engine: String,
    /// Another table under the same name has another one.
    identity: String,
}

#[derive(Deserialize)]
struct Parts {
    parts: f64,
    partitions: f64,
    rows: f64,
    bytes: f64,
}

#[derive(Deserialize)]
struct Merges {
    merges: f64,
}

/// The table that the caller named, if it is one whose parts are merged.
fn table(context: &Context) -> Result<Table, Failure> {
    let name = TableName::parse(context.parameter("table").unwrap_or_default())?;
    let found: Vec<Table> = clickhouse::query(
        "SELECT database, name, engine, toString(cityHash64(engine, create_table_query)) AS identity FROM system.tables \
         WHERE database = if({database:String} = '', currentDatabase(), {database:String}) AND name = {table:String}",
    )
    .bind("database", name.database.as_deref().unwrap_or_default())
    .bind("table", &name.table)
    .rows(context.host)?;
    let Some(table) = found.into_iter().next() else {
        let shown = context.parameter("table").unwrap_or_default();
        return Err(Failure::not_found(format!(
            "there is no table {shown} on ClickHouse host {}, or its user may not see it",
            context.host
        )));
    };
    if table.engine.ends_with("MergeTree") {
        return Ok(table);
    }
    let Table { database, name, engine, .. } = table;
    let instead = if engine == "MaterializedView" { "; name the table that it writes to" } else { "" };
    Err(Failure::invalid_input(format!(
        "parameter `table`: `{database}`.`{name}` has the engine {engine}, which has no parts to merge; expected a table of the MergeTree \
         family{instead}"
    )))
}

impl Table {
    fn parts(&self, host: u32) -> Result<Parts, Failure> {
        let rows: Vec<Parts> = clickhouse::query(
            "SELECT toFloat64(count()) AS parts, toFloat64(uniqExact(partition)) AS partitions, \
             toFloat64(sum(system.parts.rows)) AS rows, toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts \
             WHERE active AND database = {database:String} AND table = {table:String}",
        )
        .bind("database", &self.database)
        .bind("table", &self.name)
        .rows(host)?;
        rows.into_iter().next().ok_or_else(|| Failure::internal("no row of parts"))
    }

    fn merges(&self, host: u32) -> Result<f64, Failure> {
        let rows: Vec<Merges> = clickhouse::query(
            "SELECT toFloat64(count()) AS merges FROM system.merges WHERE database = {database:String} AND table = {table:String}",
        )
        .bind("database", &self.database)
        .bind("table", &self.name)
        .rows(host)?;
        Ok(rows.first().map_or(0.0, |row| row.merges))
    }
}

pub(crate) fn preview(context: &Context) -> Result<DryRun, Failure> {
    let table = table(context)?;
    let (parts, merges) = (table.parts(context.host)?, table.merges(context.host)?);
    let Table { database, name, engine, identity } = &table;
    let summary = format!(
        "Merges parts of `{database}`.`{name}` ({engine}) on ClickHouse host {}: {} in {}, {}, {}; {} of it running already.",
        context.host,
        words::count(parts.parts, "active part"),
        words::count(parts.partitions, "partition"),
        words::count(parts.rows, "row"),
        words::bytes(parts.bytes),
        words::count(merges, "merge"),
    );
    // Not the number of parts: where rows come in all the time, nothing could ever be confirmed.
    let fingerprint = format!("{} {identity} {database}.{name}", context.host);
    Ok(DryRun::new(summary, fingerprint).targets([json!({
        "hostId": context.host,
        "database": database,
        "table": name,
        "engine": engine,
        "activeParts": words::whole(parts.parts),
        "partitions": words::whole(parts.partitions),
        "rows": words::whole(parts.rows),
        "bytes": words::whole(parts.bytes),
        "merges": words::whole(merges),
    })]))
}

pub(crate) fn run(context: &Context) -> Result<Outcome, Failure> {
    let table = table(context)?;
    let before = table.parts(context.host)?;
    control::optimize_table(context.host, &table.database, &table.name)?;
    let (after, merges) = (table.parts(context.host)?, table.merges(context.host)?);
    let Table { database, name, .. } = &table;
    let goes_on =
        if merges > 0.0 { format!("; {} of it going on", words::count(merges, "merge")) } else { String::new() };
    let message = format!(
        "`{database}`.`{name}` had {} and has {} now{goes_on}.",
        words::count(before.parts, "active part"),
        after.parts
    );
    Ok(Outcome::new(message).data(&json!({
        "hostId": context.host,
        "database": database,
        "table": name,
        "activePartsBefore": words::whole(before.parts),
        "activeParts": words::whole(after.parts),
        "merges": words::whole(merges),
    })))
}
