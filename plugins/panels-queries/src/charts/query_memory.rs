use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::over_time::{FORTNIGHT, over_time, per_bucket};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    over_time("query-memory", Feature::Queries, "toStartOfDay", FORTNIGHT)
        .title("Query memory")
        .summary("Mean of the peak memory of finished queries; nothing where none finished.")
        .requires("system.query_log")
        .query(per_bucket(QUERY_LOG, "type = 'QueryFinish'", "avg(memory_usage) AS memory_usage, formatReadableSize(memory_usage) AS readable_memory_usage", &[]))
        .column(Column::bytes("memory_usage").fractional())
        .column(Column::text("readable_memory_usage"))
}
