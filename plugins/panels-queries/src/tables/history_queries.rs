use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel, Parameter};

use super::query_log::{WITHIN_ANY_HOURS, any_hours, by_version, filter, newer_columns};

pub(crate) fn panel() -> Panel {
    let panel = Panel::table("history-queries", Feature::Queries)
        .title("Query history")
        .summary("The newest entries of the query log.");
    by_version(panel, |newer| {
        format!(
            "SELECT event_time, query_log.type AS type, user, query, query_id, query_kind, query_duration_ms, \
             query_duration_ms / 1000 AS query_duration_s, memory_usage, read_rows, read_bytes, written_rows, written_bytes, \
             result_rows, result_bytes, exception_code, client_name, {newer} \
             FROM system.query_log AS query_log \
             WHERE {WITHIN_ANY_HOURS} \
             AND ({{user:String}} = '' OR user = {{user:String}}) \
             AND ({{query:String}} = '' OR positionCaseInsensitiveUTF8(query, {{query:String}}) > 0) \
             AND ({{query_id:String}} = '' OR query_id = {{query_id:String}}) \
             AND ({{query_kind:String}} = '' OR query_kind = {{query_kind:String}}) \
             AND ({{type:String}} = '' OR toString(query_log.type) = {{type:String}}) \
             AND query_duration_ms >= {{min_duration_s:Float64}} * 1000 \
             AND memory_usage >= toUInt64({{min_memory_mb:UInt32}}) * 1048576 \
             ORDER BY event_date DESC, event_time DESC LIMIT 250"
        )
    })
    .parameter(any_hours())
    .parameter(filter("user"))
    .parameter(Parameter::text("query").summary("Only queries that contain this, in any spelling.").default(""))
    .parameter(filter("query_id"))
    .parameter(filter("query_kind"))
    .parameter(filter("type"))
    .parameter(Parameter::number("min_duration_s", 0.0..=1e6).summary("Only queries that took this long, in seconds.").default(0))
    .parameter(Parameter::integer("min_memory_mb", 0..=1_000_000).summary("Only queries that used this much memory, in MiB.").default(0))
    .column(Column::timestamp("event_time"))
    .column(Column::text("type").summary("QueryStart, QueryFinish, ExceptionBeforeStart or ExceptionWhileProcessing."))
    .columns(["user", "query", "query_id", "query_kind"].map(Column::text))
    .column(Column::milliseconds("query_duration_ms"))
    .column(Column::seconds("query_duration_s"))
    .column(Column::bytes("memory_usage"))
    .column(Column::rows("read_rows"))
    .column(Column::bytes("read_bytes"))
    .column(Column::rows("written_rows"))
    .column(Column::bytes("written_bytes"))
    .column(Column::rows("result_rows"))
    .column(Column::bytes("result_bytes"))
    .column(Column::integer("exception_code").summary("ClickHouse's code; 0: none."))
    .column(Column::text("client_name"))
    .columns(newer_columns())
    .row_cap(250)
}
