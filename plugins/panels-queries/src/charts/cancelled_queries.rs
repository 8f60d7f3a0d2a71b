use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{WEEK, counts_per_bucket, over_time};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    // 394: QUERY_WAS_CANCELLED, 159: TIMEOUT_EXCEEDED.
    let counts = [("cancelled", "countIf(exception_code = 394)"), ("timed_out", "countIf(exception_code = 159)")];
    over_time("cancelled-queries", Feature::Queries, "toStartOfHour", WEEK)
        .title("Cancelled queries")
        .summary("Queries that somebody stopped, and queries that ran out of time.")
        .drawing(Drawing::Bar)
        .requires("system.query_log")
        .query(counts_per_bucket(QUERY_LOG, "exception_code IN (159, 394)", &counts))
        .columns(counts.map(|(name, _)| Column::count(name)))
}
