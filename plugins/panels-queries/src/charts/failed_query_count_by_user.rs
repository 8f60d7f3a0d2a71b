use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{FORTNIGHT, over_time, per_bucket};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    over_time("failed-query-count-by-user", Feature::Queries, "toStartOfDay", FORTNIGHT)
        .title("Failed queries by user")
        .summary("Queries of each user that failed, before they started or while they ran.")
        .drawing(Drawing::Bar)
        .requires("system.query_log")
        .query(per_bucket(QUERY_LOG, "type IN ('ExceptionBeforeStart', 'ExceptionWhileProcessing')", "user, count() AS count", &["user"]))
        .column(Column::text("user"))
        .column(Column::count("count"))
}
