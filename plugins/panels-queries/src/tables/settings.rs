use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel, Parameter};

pub(crate) fn panel() -> Panel {
    Panel::table("settings", Feature::Settings)
        .title("Settings")
        .summary("The settings of a session, changed ones first.")
        .requires("system.settings")
        .query(
            "SELECT name, value, changed, default, type, readonly, description FROM system.settings \
             WHERE {changed:UInt8} = 0 OR changed = 1 ORDER BY changed DESC, name",
        )
        .parameter(Parameter::boolean("changed").summary("Only settings that differ from their default.").default(false))
        .columns(["name", "value"].map(Column::text))
        .column(Column::boolean("changed").summary("Differs from the default."))
        .columns(["default", "type"].map(Column::text))
        .column(Column::boolean("readonly").summary("This user cannot change it."))
        .column(Column::text("description"))
        .row_cap(5000)
}
