use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{WEEK, counts_per_bucket, over_time};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    over_time("slow-query-occurrences", Feature::Queries, "toStartOfHour", WEEK)
        .title("Slow queries")
        .summary("Finished queries that took five seconds or more.")
        .drawing(Drawing::Bar)
        .requires("system.query_log")
        .query(counts_per_bucket(QUERY_LOG, "type = 'QueryFinish' AND query_duration_ms >= 5000", &[("count", "count()")]))
        .column(Column::count("count"))
}
