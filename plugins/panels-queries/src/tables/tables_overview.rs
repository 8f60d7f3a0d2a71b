use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

pub(crate) fn panel() -> Panel {
    Panel::table("tables-overview", Feature::Tables)
        .title("Tables")
        .summary("What each table holds, biggest first.")
        .requires("system.parts")
        .requires("system.detached_parts")
        .query(
            "SELECT p.database AS database, p.table AS table, p.engine AS engine, p.compressed_bytes AS compressed_bytes, \
             p.uncompressed_bytes AS uncompressed_bytes, \
             round(p.uncompressed_bytes / nullIf(p.compressed_bytes, 0), 2) AS compression_ratio, \
             p.avg_part_bytes AS avg_part_bytes, p.max_part_bytes AS max_part_bytes, p.rows AS rows, p.parts AS parts, \
             p.last_change AS last_change, p.primary_key_bytes AS primary_key_bytes, d.parts AS detached_parts, \
             d.bytes AS detached_bytes \
             FROM (SELECT database, table, any(engine) AS engine, sum(data_compressed_bytes) AS compressed_bytes, \
               sum(data_uncompressed_bytes) AS uncompressed_bytes, avg(bytes_on_disk) AS avg_part_bytes, \
               max(bytes_on_disk) AS max_part_bytes, sum(parts.rows) AS rows, count() AS parts, \
               max(modification_time) AS last_change, sum(primary_key_bytes_in_memory) AS primary_key_bytes \
               FROM system.parts AS parts WHERE active GROUP BY database, table) AS p \
             LEFT JOIN (SELECT database, table, count() AS parts, sum(bytes_on_disk) AS bytes \
               FROM system.detached_parts GROUP BY database, table) AS d \
             ON p.database = d.database AND p.table = d.table \
             ORDER BY compressed_bytes DESC",
        )
        .columns(["database", "table", "engine"].map(Column::text))
        .column(Column::bytes("compressed_bytes"))
        .column(Column::bytes("uncompressed_bytes"))
        .column(Column::number("compression_ratio").nullable().summary("Uncompressed bytes for each compressed one."))
        .column(Column::bytes("avg_part_bytes").fractional())
        .column(Column::bytes("max_part_bytes"))
        .column(Column::rows("rows"))
        .column(Column::count("parts"))
        .column(Column::timestamp("last_change"))
        .column(Column::bytes("primary_key_bytes").summary("Memory of the primary key."))
        .column(Column::count("detached_parts"))
        .column(Column::bytes("detached_bytes"))
        .row_cap(10_000)
}
