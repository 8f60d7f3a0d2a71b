use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::over_time::{FORTNIGHT, over_time, per_bucket};
use crate::family::PART_LOG;

pub(crate) fn panel() -> Panel {
    over_time("merge-avg-duration", Feature::Operations, "toStartOfDay", FORTNIGHT)
        .title("Merge duration")
        .summary("Mean duration of regular merges; nothing where none ended.")
        .requires("system.part_log")
        .optional()
        .query(per_bucket(
            PART_LOG,
            "event_type = 'MergeParts' AND merge_reason = 'RegularMerge'",
            "avg(duration_ms) AS avg_duration_ms, count() AS merges",
            &[],
        ))
        .column(Column::milliseconds("avg_duration_ms").fractional())
        .column(Column::count("merges"))
}
