use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel, Parameter};

fn sql(files: &str) -> String {
    format!(
        "SELECT name, partition, part_type, level, rows, bytes_on_disk, data_compressed_bytes, data_uncompressed_bytes, \
         round(data_uncompressed_bytes / nullIf(data_compressed_bytes, 0), 2) AS compression_ratio, marks, \
         primary_key_bytes_in_memory, {files}, modification_time, min_date, max_date, disk_name \
         FROM system.parts WHERE active AND database = {{database:String}} AND table = {{table:String}} \
         ORDER BY modification_time DESC"
    )
}

pub(crate) fn panel() -> Panel {
    Panel::table("part-info", Feature::Tables)
        .title("Parts of a table")
        .summary("The active parts of one table, newest first.")
        .requires("system.parts")
        .query(sql("NULL AS files"))
        .query_since("26.1", sql("files"))
        .parameter(Parameter::text("database").summary("Database of the table."))
        .parameter(Parameter::text("table").summary("Name of the table."))
        .columns(["name", "partition", "part_type"].map(Column::text))
        .column(Column::integer("level").summary("How many merges lie between the part and its inserts."))
        .column(Column::rows("rows"))
        .column(Column::bytes("bytes_on_disk"))
        .column(Column::bytes("data_compressed_bytes"))
        .column(Column::bytes("data_uncompressed_bytes"))
        .column(Column::number("compression_ratio").nullable().summary("Uncompressed bytes for each compressed one."))
        .column(Column::count("marks"))
        .column(Column::bytes("primary_key_bytes_in_memory"))
        .column(Column::count("files").nullable().summary("Number of files (26.1 and newer)."))
        .column(Column::timestamp("modification_time"))
        .columns(["min_date", "max_date", "disk_name"].map(Column::text))
        .row_cap(10_000)
}
