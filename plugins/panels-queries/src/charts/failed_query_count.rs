use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{WEEK, breakdown_per_bucket, over_time};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    over_time("failed-query-count", Feature::Queries, "toStartOfMinute", WEEK)
        .title("Failed queries")
        .summary("Queries that failed, before they started or while they ran.")
        .drawing(Drawing::Bar)
        .requires("system.query_log")
        .query(breakdown_per_bucket(QUERY_LOG, "type IN ('ExceptionBeforeStart', 'ExceptionWhileProcessing')", "type"))
        .column(Column::count("query_count"))
        .column(Column::json("breakdown").summary("Pairs of failure type and count, most frequent first."))
}
