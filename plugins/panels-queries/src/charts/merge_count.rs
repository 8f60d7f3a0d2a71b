use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::over_time::{DAY, over_time, per_bucket};
use crate::family::METRIC_LOG;

pub(crate) fn panel() -> Panel {
    over_time("merge-count", Feature::Operations, "toStartOfFiveMinutes", DAY / 2)
        .title("Running merges")
        .summary("Mean number of merges and part mutations at work.")
        .requires("system.metric_log")
        .optional()
        .query(per_bucket(
            METRIC_LOG,
            "true",
            "avg(CurrentMetric_Merge) AS merges, avg(CurrentMetric_PartMutation) AS mutations",
            &[],
        ))
        .columns(["merges", "mutations"].map(|name| Column::count(name).fractional()))
}
