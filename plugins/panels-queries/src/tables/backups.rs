use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

pub(crate) fn panel() -> Panel {
    Panel::table("backups", Feature::Operations)
        .title("Backups")
        .summary("Backups and restores, newest first.")
        .requires("system.backup_log")
        .optional()
        .query(
            "SELECT id, name, status, toDateTime(backup_log.start_time) AS start_time, \
             nullIf(toDateTime(backup_log.end_time), toDateTime(0)) AS end_time, num_files, total_size, num_entries, \
             uncompressed_size, compressed_size, files_read, bytes_read, error \
             FROM system.backup_log AS backup_log \
             ORDER BY event_date DESC, event_time_microseconds DESC LIMIT 1 BY id LIMIT 1000",
        )
        .columns(["id", "name"].map(Column::text))
        .column(Column::text("status").summary("BACKUP_CREATED, BACKUP_FAILED, RESTORED, …"))
        .column(Column::timestamp("start_time"))
        .column(Column::timestamp("end_time").nullable())
        .column(Column::count("num_files"))
        .column(Column::bytes("total_size"))
        .column(Column::count("num_entries"))
        .column(Column::bytes("uncompressed_size"))
        .column(Column::bytes("compressed_size"))
        .column(Column::count("files_read"))
        .column(Column::bytes("bytes_read"))
        .column(Column::text("error"))
}
