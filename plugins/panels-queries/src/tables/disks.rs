use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

pub(crate) fn panel() -> Panel {
    Panel::table("disks", Feature::Metrics)
        .title("Disks")
        .summary("How full each disk is, fullest first.")
        .requires("system.disks")
        .query(
            "SELECT name, path, type, total_space - free_space AS used_space, total_space, free_space, unreserved_space, \
             keep_free_space, round(100 * free_space / nullIf(total_space, 0), 1) AS free_percent \
             FROM system.disks ORDER BY free_percent",
        )
        .columns(["name", "path", "type"].map(Column::text))
        .column(Column::bytes("used_space"))
        .column(Column::bytes("total_space"))
        .column(Column::bytes("free_space"))
        .column(Column::bytes("unreserved_space").summary("Free, and not promised to a merge."))
        .column(Column::bytes("keep_free_space").summary("What the configuration keeps free."))
        .column(Column::percent("free_percent").nullable().summary("Nothing for disks without a size, such as object storage."))
        .refresh_seconds(60)
}
