use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::over_time::{WEEK, over_time, per_bucket};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    over_time("query-duration-percentiles", Feature::Queries, "toStartOfHour", WEEK)
        .title("Query duration percentiles")
        .summary("Half, 95 % and 99 % of the finished queries took no longer than this.")
        .requires("system.query_log")
        .query(per_bucket(
            QUERY_LOG,
            "type = 'QueryFinish'",
            "quantile(0.5)(query_duration_ms) / 1000 AS p50, quantile(0.95)(query_duration_ms) / 1000 AS p95, \
             quantile(0.99)(query_duration_ms) / 1000 AS p99",
            &[],
        ))
        .columns(["p50", "p95", "p99"].map(Column::seconds))
}
