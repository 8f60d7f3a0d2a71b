use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::over_time::{DAY, counts_per_bucket, over_time};
use crate::family::PART_LOG;

pub(crate) fn panel() -> Panel {
    let counts = [
        ("new_parts", "countIf(event_type = 'NewPart')"),
        ("merges", "countIf(event_type = 'MergeParts')"),
        ("mutations", "countIf(event_type = 'MutatePart')"),
        ("removals", "countIf(event_type = 'RemovePart')"),
    ];
    over_time("part-log-lifecycle", Feature::Operations, "toStartOfHour", DAY)
        .title("Life of parts")
        .summary("Parts that were made, merged, mutated and removed.")
        .requires("system.part_log")
        .optional()
        .query(counts_per_bucket(PART_LOG, "true", &counts))
        .columns(counts.map(|(name, _)| Column::count(name)))
}
