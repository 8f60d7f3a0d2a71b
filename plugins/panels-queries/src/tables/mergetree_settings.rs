use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

pub(crate) fn panel() -> Panel {
    Panel::table("mergetree-settings", Feature::Settings)
        .title("MergeTree settings")
        .summary("The settings of MergeTree tables that do not set their own, changed ones first.")
        .requires("system.merge_tree_settings")
        .query(
            "SELECT name, value, changed, type, min, max, readonly, is_obsolete, description \
             FROM system.merge_tree_settings ORDER BY changed DESC, name",
        )
        .columns(["name", "value"].map(Column::text))
        .column(Column::boolean("changed").summary("Differs from the default."))
        .column(Column::text("type"))
        .columns(["min", "max"].map(|name| Column::text(name).nullable()))
        .columns(["readonly", "is_obsolete"].map(Column::boolean))
        .column(Column::text("description"))
        .row_cap(5000)
}
