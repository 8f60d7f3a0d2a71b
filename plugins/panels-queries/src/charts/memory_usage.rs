use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{DAY, over_time, per_bucket};
use crate::family::METRIC_LOG;

pub(crate) fn panel() -> Panel {
    over_time("memory-usage", Feature::Metrics, "toStartOfTenMinutes", DAY)
        .title("Memory")
        .summary("Mean memory that the server has accounted for.")
        .drawing(Drawing::Area)
        .requires("system.metric_log")
        .optional()
        .query(per_bucket(
            METRIC_LOG,
            "true",
            "avg(CurrentMetric_MemoryTracking) AS memory_usage, formatReadableSize(memory_usage) AS readable_memory_usage",
            &[],
        ))
        .column(Column::bytes("memory_usage").fractional())
        .column(Column::text("readable_memory_usage"))
}
