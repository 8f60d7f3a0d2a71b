use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{DAY, over_time, per_bucket};
use crate::family::PART_LOG;

pub(crate) fn panel() -> Panel {
    over_time("new-parts-created", Feature::Operations, "toStartOfFifteenMinutes", DAY)
        .title("New parts")
        .summary("Parts that inserts made, by table: many small ones mean inserts that are too small.")
        .drawing(Drawing::Bar)
        .requires("system.part_log")
        .optional()
        .query(per_bucket(
            PART_LOG,
            "event_type = 'NewPart'",
            "concat(database, '.', table) AS full_name, count() AS new_parts, sum(rows) AS total_rows, \
             sum(size_in_bytes) AS total_bytes",
            &["full_name"],
        ))
        .column(Column::text("full_name").summary("Database and table."))
        .column(Column::count("new_parts"))
        .column(Column::rows("total_rows"))
        .column(Column::bytes("total_bytes"))
}
