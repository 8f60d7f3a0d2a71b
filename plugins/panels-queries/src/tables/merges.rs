use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

fn sql(projection: &str) -> String {
    format!(
        "SELECT database, table, elapsed, round(done * 100, 1) AS progress, \
         if(done > 0, round(elapsed * (1 - done) / done, 1), NULL) AS estimated_seconds_left, \
         num_parts, result_part_name, partition_id, is_mutation, total_size_bytes_compressed, total_size_marks, rows_read, \
         bytes_read_uncompressed, rows_written, bytes_written_uncompressed, columns_written, memory_usage, thread_id, \
         merge_type, merge_algorithm, {projection} \
         FROM (SELECT *, progress AS done FROM system.merges) ORDER BY elapsed DESC"
    )
}

pub(crate) fn panel() -> Panel {
    Panel::table("merges", Feature::Operations)
        .title("Merges")
        .summary("Merges and part mutations at work, longest first.")
        .requires("system.merges")
        .query(sql("'' AS current_projection, NULL AS current_projection_progress"))
        .query_since(
            "26.6",
            sql("current_projection, round(current_projection_progress * 100, 1) AS current_projection_progress"),
        )
        .columns(["database", "table"].map(Column::text))
        .column(Column::seconds("elapsed"))
        .column(Column::percent("progress"))
        .column(Column::seconds("estimated_seconds_left").nullable())
        .column(Column::count("num_parts"))
        .columns(["result_part_name", "partition_id"].map(Column::text))
        .column(Column::boolean("is_mutation"))
        .column(Column::bytes("total_size_bytes_compressed"))
        .column(Column::count("total_size_marks"))
        .column(Column::rows("rows_read"))
        .column(Column::bytes("bytes_read_uncompressed"))
        .column(Column::rows("rows_written"))
        .column(Column::bytes("bytes_written_uncompressed"))
        .column(Column::count("columns_written"))
        .column(Column::bytes("memory_usage"))
        .column(Column::integer("thread_id"))
        .columns(["merge_type", "merge_algorithm"].map(Column::text))
        .column(Column::text("current_projection").summary("The projection being merged (26.6 and newer)."))
        .column(Column::percent("current_projection_progress").nullable())
        .refresh_seconds(30)
}
