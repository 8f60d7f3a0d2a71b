use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::over_time::{FORTNIGHT, over_time, per_bucket};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    over_time("query-duration", Feature::Queries, "toStartOfDay", FORTNIGHT)
        .title("Query duration")
        .summary("Mean duration of finished queries; nothing where none finished.")
        .requires("system.query_log")
        .query(per_bucket(QUERY_LOG, "type = 'QueryFinish'", "avg(query_duration_ms) AS query_duration_ms, query_duration_ms / 1000 AS query_duration_s", &[]))
        .column(Column::milliseconds("query_duration_ms").fractional())
        .column(Column::seconds("query_duration_s"))
}
