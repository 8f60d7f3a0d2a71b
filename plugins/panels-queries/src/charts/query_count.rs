use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{FORTNIGHT, breakdown_per_bucket, over_time};
use crate::family::QUERY_LOG;

pub(crate) fn panel() -> Panel {
    over_time("query-count", Feature::Queries, "toStartOfDay", FORTNIGHT)
        .title("Queries")
        .summary("Finished queries, with the kinds they are of.")
        .drawing(Drawing::Bar)
        .requires("system.query_log")
        .query(breakdown_per_bucket(QUERY_LOG, "type = 'QueryFinish'", "query_kind"))
        .column(Column::count("query_count"))
        .column(Column::json("breakdown").summary("Pairs of kind and count, most frequent first."))
}
