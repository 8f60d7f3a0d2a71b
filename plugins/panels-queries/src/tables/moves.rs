use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

pub(crate) fn panel() -> Panel {
    Panel::table("moves", Feature::Operations)
        .title("Moves")
        .summary("Parts on their way to another disk, longest first.")
        .requires("system.moves")
        .optional()
        .query(
            "SELECT database, table, elapsed, target_disk_name, target_disk_path, part_name, part_size, thread_id \
             FROM system.moves ORDER BY elapsed DESC",
        )
        .columns(["database", "table"].map(Column::text))
        .column(Column::seconds("elapsed"))
        .columns(["target_disk_name", "target_disk_path", "part_name"].map(Column::text))
        .column(Column::bytes("part_size"))
        .column(Column::integer("thread_id"))
        .refresh_seconds(30)
}
