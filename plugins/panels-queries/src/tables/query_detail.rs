use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel, Parameter};

use super::query_log::{by_version, newer_columns};

pub(crate) fn panel() -> Panel {
    let panel = Panel::table("query-detail", Feature::Queries)
        .title("One query")
        .summary("All that the query log knows of one execution; its end where it has ended.");
    by_version(panel, |newer| {
        format!(
            "SELECT event_time, query_log.type AS type, query_id, query_start_time, query_duration_ms, query, \
             formatQuery(query) AS formatted_query, normalizeQuery(query) AS normalized_query, query_kind, current_database, \
             user, initial_user, initial_query_id, is_initial_query, toString(address) AS address, client_name, client_hostname, \
             exception_code, exception, stack_trace, read_rows, read_bytes, written_rows, written_bytes, result_rows, result_bytes, \
             memory_usage, databases, tables, columns, used_functions, used_aggregate_functions, used_table_functions, \
             used_storages, used_formats, used_dictionaries, thread_ids, ProfileEvents AS profile_events, \
             query_log.Settings AS changed_settings, log_comment, {newer} \
             FROM system.query_log AS query_log WHERE query_id = {{query_id:String}} \
             ORDER BY toString(query_log.type) = 'QueryStart', event_time_microseconds DESC LIMIT 1"
        )
    })
    .parameter(Parameter::text("query_id").summary("Identifier of the query."))
    .column(Column::timestamp("event_time"))
    .columns(["type", "query_id"].map(Column::text))
    .column(Column::timestamp("query_start_time"))
    .column(Column::milliseconds("query_duration_ms"))
    .columns(["query", "formatted_query"].map(Column::text))
    .column(Column::text("normalized_query").summary("The query without its constants."))
    .columns(["query_kind", "current_database", "user", "initial_user", "initial_query_id"].map(Column::text))
    .column(Column::boolean("is_initial_query").summary("Sent by a client, not by another server."))
    .columns(["address", "client_name", "client_hostname"].map(Column::text))
    .column(Column::integer("exception_code").summary("ClickHouse's code; 0: none."))
    .columns(["exception", "stack_trace"].map(Column::text))
    .column(Column::rows("read_rows"))
    .column(Column::bytes("read_bytes"))
    .column(Column::rows("written_rows"))
    .column(Column::bytes("written_bytes"))
    .column(Column::rows("result_rows"))
    .column(Column::bytes("result_bytes"))
    .column(Column::bytes("memory_usage"))
    .columns(["databases", "tables", "columns", "used_functions", "used_aggregate_functions"].map(Column::json))
    .columns(["used_table_functions", "used_storages", "used_formats", "used_dictionaries", "thread_ids"].map(Column::json))
    .columns(["profile_events", "changed_settings"].map(Column::json))
    .column(Column::text("log_comment"))
    .columns(newer_columns())
    .row_cap(1)
}
