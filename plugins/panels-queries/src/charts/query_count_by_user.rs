use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{FORTNIGHT, over_time, per_bucket};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    over_time("query-count-by-user", Feature::Queries, "toStartOfDay", FORTNIGHT)
        .title("Queries by user")
        .summary("Finished queries of each user.")
        .drawing(Drawing::Bar)
        .requires("system.query_log")
        .query(per_bucket(QUERY_LOG, "type = 'QueryFinish'", "user, count() AS count", &["user"]))
        .column(Column::text("user"))
        .column(Column::count("count"))
}
