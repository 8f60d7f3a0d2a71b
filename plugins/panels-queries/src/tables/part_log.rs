use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::query_log::{WITHIN_ANY_HOURS, any_hours, filter};

pub(crate) fn panel() -> Panel {
    Panel::table("part-log", Feature::Operations)
        .title("Part log")
        .summary("What happened to parts, newest first.")
        .requires("system.part_log")
        .optional()
        .query(format!(
            "SELECT event_time, event_type, database, part_log.table AS table, part_name, partition_id, merge_reason, part_type, \
             toUInt32OrZero(splitByChar('_', part_name)[4]) AS level, rows, size_in_bytes, read_rows, read_bytes, duration_ms, \
             peak_memory_usage, error, exception \
             FROM system.part_log AS part_log \
             WHERE {WITHIN_ANY_HOURS} \
             AND ({{database:String}} = '' OR database = {{database:String}}) \
             AND ({{table:String}} = '' OR part_log.table = {{table:String}}) \
             ORDER BY event_date DESC, event_time DESC LIMIT 1000"
        ))
        .parameter(any_hours())
        .parameter(filter("database"))
        .parameter(filter("table"))
        .column(Column::timestamp("event_time"))
        .column(Column::text("event_type").summary("NewPart, MergeParts, MutatePart, RemovePart, …"))
        .columns(["database", "table", "part_name", "partition_id", "merge_reason", "part_type"].map(Column::text))
        .column(Column::integer("level").summary("How many merges lie between the part and its inserts."))
        .column(Column::rows("rows"))
        .column(Column::bytes("size_in_bytes"))
        .column(Column::rows("read_rows"))
        .column(Column::bytes("read_bytes"))
        .column(Column::milliseconds("duration_ms"))
        .column(Column::bytes("peak_memory_usage"))
        .column(Column::integer("error").summary("ClickHouse's code; 0: none."))
        .column(Column::text("exception"))
        .refresh_seconds(30)
}
