use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

pub(crate) fn panel() -> Panel {
    Panel::table("user-processes", Feature::Queries)
        .title("Memory by user")
        .summary("Memory that the running queries of each user hold.")
        .requires("system.user_processes")
        .optional()
        .query("SELECT user, memory_usage, peak_memory_usage FROM system.user_processes ORDER BY memory_usage DESC")
        .column(Column::text("user"))
        .column(Column::bytes("memory_usage"))
        .column(Column::bytes("peak_memory_usage"))
        .refresh_seconds(30)
}
