use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::query_log::filter;

pub(crate) fn panel() -> Panel {
    // The contract writes this name with an underscore.
    Panel::table("detached_parts", Feature::Tables)
        .title("Detached parts")
        .summary("Parts that lie beside their tables: somebody detached them, or the server found them broken.")
        .requires("system.detached_parts")
        .query(
            "SELECT database, table, partition_id, name, bytes_on_disk, modification_time, disk, path, reason, \
             min_block_number, max_block_number, level FROM system.detached_parts \
             WHERE {table:String} = '' OR table = {table:String} ORDER BY modification_time DESC",
        )
        .parameter(filter("table"))
        .columns(["database", "table"].map(Column::text))
        .column(Column::text("partition_id").nullable())
        .column(Column::text("name"))
        .column(Column::bytes("bytes_on_disk"))
        .column(Column::timestamp("modification_time"))
        .columns(["disk", "path"].map(Column::text))
        .column(Column::text("reason").nullable().summary("Why the server detached it; empty when somebody did."))
        .columns(["min_block_number", "max_block_number", "level"].map(|name| Column::integer(name).nullable()))
        .row_cap(10_000)
}
