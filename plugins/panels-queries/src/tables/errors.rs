use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::query_log::filter;

fn sql(last: &str) -> String {
    format!(
        "SELECT event_time, code, error, value, remote, {last} FROM system.error_log AS error_log \
         WHERE {{error:String}} = '' OR error = {{error:String}} \
         ORDER BY event_date DESC, event_time DESC LIMIT 100"
    )
}

pub(crate) fn panel() -> Panel {
    Panel::table("errors", Feature::Operations)
        .title("Errors over time")
        .summary("How often each error happened in each interval of the error log, newest first.")
        .requires("system.error_log")
        .optional()
        .query(sql(
            "NULL AS last_error_time, '' AS last_error_message, '' AS last_error_query_id, emptyArrayString() AS last_error_trace",
        ))
        .query_since(
            "25.12",
            sql("error_log.last_error_time AS last_error_time, last_error_message, last_error_query_id, \
                 arrayMap(address -> concat('0x', lower(hex(address))), error_log.last_error_trace) AS last_error_trace"),
        )
        .parameter(filter("error"))
        .column(Column::timestamp("event_time"))
        .column(Column::integer("code"))
        .column(Column::text("error"))
        .column(Column::count("value").summary("How often it happened in this interval."))
        .column(Column::boolean("remote").summary("Reported by another server during a distributed query."))
        .column(Column::timestamp("last_error_time").nullable())
        .columns(["last_error_message", "last_error_query_id"].map(Column::text))
        .column(Column::json("last_error_trace").summary("Addresses of the stack's frames."))
        .row_cap(100)
}
