use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::query_log::last_hours;
use crate::family::within;

pub(crate) fn panel() -> Panel {
    Panel::table("expensive-queries-by-memory", Feature::Queries)
        .title("Expensive queries by memory")
        .summary("Shapes of SELECT by the memory an execution needs.")
        .requires("system.query_log")
        .query(format!(
            "SELECT toString(normalized_query_hash) AS query_hash, any(query_log.query) AS query, \
             groupUniqArray(5)(query_log.user) AS users, count() AS executions, \
             sum(query_log.memory_usage) AS total_memory, avg(query_log.memory_usage) AS avg_memory, \
             max(query_log.memory_usage) AS max_memory \
             FROM system.query_log AS query_log \
             WHERE type = 'QueryFinish' AND query_kind = 'Select' AND {} \
             GROUP BY normalized_query_hash ORDER BY avg_memory DESC LIMIT 1000",
            within("last_hours")
        ))
        .parameter(last_hours(24))
        .column(Column::text("query_hash").summary("The same for queries that differ only in their constants."))
        .column(Column::text("query").summary("One of the executions."))
        .column(Column::json("users").summary("Up to five of the users who ran it."))
        .column(Column::count("executions"))
        .column(Column::bytes("total_memory"))
        .column(Column::bytes("avg_memory").fractional())
        .column(Column::bytes("max_memory"))
}
