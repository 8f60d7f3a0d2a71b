use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel, Parameter};

pub(crate) fn panel() -> Panel {
    Panel::chart("disk-size", Feature::Metrics)
        .title("Disks")
        .summary("Used and total space of one disk, or of each.")
        .drawing(Drawing::Bar)
        .parameter(Parameter::text("name").summary("One disk only; empty: all of them.").default(""))
        .requires("system.disks")
        .query(
            "SELECT name, total_space - free_space AS used_space, total_space, \
             formatReadableSize(used_space) AS readable_used_space, formatReadableSize(total_space) AS readable_total_space \
             FROM system.disks WHERE {name:String} = '' OR name = {name:String} ORDER BY name",
        )
        .column(Column::text("name"))
        .column(Column::bytes("used_space"))
        .column(Column::bytes("total_space"))
        .column(Column::text("readable_used_space"))
        .column(Column::text("readable_total_space"))
        .x("name")
        .refresh_seconds(60)
}
