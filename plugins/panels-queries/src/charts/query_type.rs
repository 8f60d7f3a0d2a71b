use chm_plugin::Feature;
use chm_plugin::panels::{Column, Drawing, Panel};

use super::over_time::{DAY, last_hours};
use crate::family::{QUERY_LOG, within};

pub(crate) fn panel() -> Panel {
    Panel::chart("query-type", Feature::Queries)
        .title("Kinds of queries")
        .summary("Finished queries by kind.")
        .drawing(Drawing::Bar)
        .parameter(last_hours(DAY))
        .requires("system.query_log")
        .query(format!(
            "SELECT if(query_kind = '', 'Other', toString(query_kind)) AS kind, count() AS query_count FROM {QUERY_LOG} \
             WHERE type = 'QueryFinish' AND {} GROUP BY kind ORDER BY query_count DESC",
            within("lastHours")
        ))
        .column(Column::text("kind").summary("Select, Insert, Create, …"))
        .column(Column::count("query_count"))
        .x("kind")
}
