use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel, Parameter};

use super::query_log::{by_version, filter, last_hours, newer_columns};
use crate::family::within;

pub(crate) fn panel() -> Panel {
    let panel = Panel::table("slow-queries", Feature::Queries)
        .title("Slow queries")
        .summary("The ten finished queries that took longest.");
    by_version(panel, |newer| {
        format!(
            "SELECT query_id, query_start_time, query_duration_ms, query_duration_ms / 1000 AS query_duration_s, user, \
             substringUTF8(query_log.query, 1, 500) AS query, read_rows, read_bytes, memory_usage, {newer} \
             FROM system.query_log AS query_log \
             WHERE query_log.type = 'QueryFinish' AND {} \
             AND query_duration_ms >= {{min_duration_s:Float64}} * 1000 \
             AND ({{user:String}} = '' OR user = {{user:String}}) \
             ORDER BY query_duration_ms DESC LIMIT 10",
            within("last_hours")
        )
    })
    .parameter(Parameter::number("min_duration_s", 0.0..=1e6).summary("Only queries that took this long, in seconds.").default(5))
    .parameter(filter("user"))
    .parameter(last_hours(24))
    .column(Column::text("query_id"))
    .column(Column::timestamp("query_start_time"))
    .column(Column::milliseconds("query_duration_ms"))
    .column(Column::seconds("query_duration_s"))
    .column(Column::text("user"))
    .column(Column::text("query").summary("The first 500 characters."))
    .column(Column::rows("read_rows"))
    .column(Column::bytes("read_bytes"))
    .column(Column::bytes("memory_usage"))
    .columns(newer_columns())
    .row_cap(10)
}
