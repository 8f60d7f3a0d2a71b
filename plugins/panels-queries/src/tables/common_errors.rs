use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

pub(crate) fn panel() -> Panel {
    Panel::table("common-errors", Feature::Queries)
        .title("Common errors")
        .summary("How often each error has happened since the server started.")
        .requires("system.errors")
        .query(
            "SELECT name, code, value AS count, remote, last_error_time, last_error_message, \
             arrayMap(address -> concat('0x', lower(hex(address))), errors.last_error_trace) AS last_error_trace \
             FROM system.errors AS errors ORDER BY count DESC LIMIT 1000",
        )
        .column(Column::text("name"))
        .column(Column::integer("code"))
        .column(Column::count("count"))
        .column(Column::boolean("remote").summary("Reported by another server during a distributed query."))
        .column(Column::timestamp("last_error_time"))
        .column(Column::text("last_error_message"))
        .column(Column::json("last_error_trace").summary("Addresses of the stack's frames."))
}
