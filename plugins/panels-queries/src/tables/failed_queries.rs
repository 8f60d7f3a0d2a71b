use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::query_log::{by_version, filter, last_hours, newer_columns};
use crate::family::within;

pub(crate) fn panel() -> Panel {
    let panel = Panel::table("failed-queries", Feature::Queries)
        .title("Failed queries")
        .summary("Queries that failed, before they started or while they ran, newest first.");
    by_version(panel, |newer| {
        format!(
            "SELECT event_time, query_log.type AS type, query_start_time, query_duration_ms, query, query_id, query_kind, \
             is_initial_query, exception_code, exception, stack_trace, read_rows, read_bytes, written_rows, written_bytes, \
             result_rows, result_bytes, memory_usage, user, initial_user, client_name, client_hostname, databases, tables, \
             columns, used_functions, used_aggregate_functions, used_table_functions, used_storages, used_formats, \
             used_dictionaries, thread_ids, ProfileEvents AS profile_events, query_log.Settings AS changed_settings, \
             normalizeQuery(query) AS normalized_query, {newer} \
             FROM system.query_log AS query_log \
             WHERE query_log.type IN ('ExceptionBeforeStart', 'ExceptionWhileProcessing') AND {} \
             AND ({{type:String}} = '' OR toString(query_log.type) = {{type:String}}) \
             ORDER BY event_date DESC, event_time DESC LIMIT 1000",
            within("last_hours")
        )
    })
    .parameter(filter("type"))
    .parameter(last_hours(336))
    .column(Column::timestamp("event_time"))
    .column(Column::text("type").summary("ExceptionBeforeStart or ExceptionWhileProcessing."))
    .column(Column::timestamp("query_start_time"))
    .column(Column::milliseconds("query_duration_ms"))
    .columns(["query", "query_id", "query_kind"].map(Column::text))
    .column(Column::boolean("is_initial_query").summary("Sent by a client, not by another server."))
    .column(Column::integer("exception_code").summary("ClickHouse's code."))
    .columns(["exception", "stack_trace"].map(Column::text))
    .column(Column::rows("read_rows"))
    .column(Column::bytes("read_bytes"))
    .column(Column::rows("written_rows"))
    .column(Column::bytes("written_bytes"))
    .column(Column::rows("result_rows"))
    .column(Column::bytes("result_bytes"))
    .column(Column::bytes("memory_usage"))
    .columns(["user", "initial_user", "client_name", "client_hostname"].map(Column::text))
    .columns(["databases", "tables", "columns", "used_functions", "used_aggregate_functions"].map(Column::json))
    .columns(["used_table_functions", "used_storages", "used_formats", "used_dictionaries", "thread_ids"].map(Column::json))
    .columns(["profile_events", "changed_settings"].map(Column::json))
    .column(Column::text("normalized_query").summary("The query without its constants."))
    .columns(newer_columns())
}
