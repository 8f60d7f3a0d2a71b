//! What tables over the query log share.

use chm_plugin::panels::{Column, Panel, Parameter};

/// Gives a panel a statement for each generation of the query log, which has gained columns since. `sql` places the
/// newer columns where its argument stands; servers without them answer empty texts.
pub(crate) fn by_version(panel: Panel, sql: impl Fn(&str) -> String) -> Panel {
    panel
        .query(sql("'' AS query_cache_usage, '' AS client_agent"))
        .query_since("24.1", sql("toString(query_log.query_cache_usage) AS query_cache_usage, '' AS client_agent"))
        .query_since("26.6", sql("toString(query_log.query_cache_usage) AS query_cache_usage, client_agent"))
        .requires("system.query_log")
}

/// The columns that [`by_version`] adds.
pub(crate) fn newer_columns() -> [Column; 2] {
    [
        Column::text("query_cache_usage")
            .summary("Whether the result came from or went to the query cache (24.1 and newer)."),
        Column::text("client_agent").summary("The coding agent that sent the query, where one did (26.6 and newer)."),
    ]
}

/// The parameter for the window, in hours; at least one.
pub(crate) fn last_hours(hours: u32) -> Parameter {
    Parameter::integer("last_hours", 1..=8760).summary("How far to look back, in hours.").default(hours)
}

/// The parameter for a window that is open unless a client says otherwise.
pub(crate) fn any_hours() -> Parameter {
    Parameter::integer("last_hours", 0..=8760).summary("How far to look back, in hours; 0: without limit.").default(0)
}

/// The condition of [`any_hours`]; the date selects the partitions.
pub(crate) const WITHIN_ANY_HOURS: &str = "({last_hours:UInt32} = 0 OR (\
     event_date >= toDate(now() - toIntervalHour({last_hours:UInt32})) - 1 \
     AND event_time >= now() - toIntervalHour({last_hours:UInt32})))";

/// A filter on one text column; an empty value lets everything through.
pub(crate) fn filter(name: &str) -> Parameter {
    Parameter::text(name).summary("Only rows with exactly this value; empty: all of them.").default("")
}
