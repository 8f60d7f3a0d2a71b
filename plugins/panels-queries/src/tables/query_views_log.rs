use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::query_log::last_hours;
use crate::family::within;

pub(crate) fn panel() -> Panel {
    Panel::table("query-views-log", Feature::Queries)
        .title("Materialised views")
        .summary("Runs of materialised views, newest first.")
        .requires("system.query_views_log")
        .optional()
        .query(format!(
            "SELECT event_time, initial_query_id, view_name, view_type, view_target, status, view_duration_ms, read_rows, \
             read_bytes, written_rows, written_bytes, peak_memory_usage, exception_code, exception \
             FROM system.query_views_log WHERE {} ORDER BY event_date DESC, event_time DESC LIMIT 1000",
            within("last_hours")
        ))
        .parameter(last_hours(168))
        .column(Column::timestamp("event_time"))
        .columns(["initial_query_id", "view_name", "view_type", "view_target", "status"].map(Column::text))
        .column(Column::milliseconds("view_duration_ms"))
        .column(Column::rows("read_rows"))
        .column(Column::bytes("read_bytes"))
        .column(Column::rows("written_rows"))
        .column(Column::bytes("written_bytes"))
        .column(Column::bytes("peak_memory_usage"))
        .column(Column::integer("exception_code").summary("ClickHouse's code; 0: none."))
        .column(Column::text("exception"))
}
