use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel};

use super::query_log::last_hours;
use crate::family::{QUERY_LOG, within};

/// A counter of the query log that is summed up: what the column is called, the profile event, and what it counts.
type Event = (&'static str, &'static str, fn(&str) -> Column);

const EVENTS: [Event; 14] = [
    ("real_time_us", "RealTimeMicroseconds", Column::microseconds),
    ("user_time_us", "UserTimeMicroseconds", Column::microseconds),
    ("system_time_us", "SystemTimeMicroseconds", Column::microseconds),
    ("virtual_cpu_time_us", "OSCPUVirtualTimeMicroseconds", Column::microseconds),
    ("cpu_wait_us", "OSCPUWaitMicroseconds", Column::microseconds),
    ("io_wait_us", "OSIOWaitMicroseconds", Column::microseconds),
    ("keeper_wait_us", "ZooKeeperWaitMicroseconds", Column::microseconds),
    ("network_receive_us", "NetworkReceiveElapsedMicroseconds", Column::microseconds),
    ("network_send_us", "NetworkSendElapsedMicroseconds", Column::microseconds),
    ("disk_read_us", "DiskReadElapsedMicroseconds", Column::microseconds),
    ("disk_write_us", "DiskWriteElapsedMicroseconds", Column::microseconds),
    ("selected_parts", "SelectedParts", Column::count),
    ("selected_ranges", "SelectedRanges", Column::count),
    ("selected_marks", "SelectedMarks", Column::count),
];

pub(crate) fn panel() -> Panel {
    let events: Vec<String> =
        EVENTS.iter().map(|(column, event, _)| format!("sum(ProfileEvents['{event}']) AS {column}")).collect();
    Panel::table("expensive-queries", Feature::Queries)
        .title("Expensive queries")
        .summary("What each shape of query cost, all its executions together; most processor time first.")
        .requires("system.query_log")
        .query(format!(
            "SELECT toString(normalized_query_hash) AS query_hash, any(query_log.query) AS query, count() AS executions, \
             sum(query_duration_ms) AS total_duration_ms, avg(query_duration_ms) AS avg_duration_ms, {}, \
             quantile(0.97)(query_log.memory_usage) AS memory_p97, sum(query_log.read_rows) AS read_rows, \
             sum(query_log.read_bytes) AS read_bytes, sum(query_log.written_rows) AS written_rows, \
             sum(query_log.written_bytes) AS written_bytes, sum(query_log.result_rows) AS result_rows, \
             sum(query_log.result_bytes) AS result_bytes, groupUniqArray(5)(user) AS users \
             FROM {QUERY_LOG} AS query_log WHERE type = 'QueryFinish' AND {} \
             GROUP BY normalized_query_hash ORDER BY user_time_us DESC LIMIT 1000",
            events.join(", "),
            within("last_hours")
        ))
        .parameter(last_hours(24))
        .column(Column::text("query_hash").summary("The same for queries that differ only in their constants."))
        .column(Column::text("query").summary("One of the executions."))
        .column(Column::count("executions"))
        .column(Column::milliseconds("total_duration_ms"))
        .column(Column::milliseconds("avg_duration_ms").fractional())
        .columns(EVENTS.iter().map(|(name, _, column)| column(name)))
        .column(Column::bytes("memory_p97").fractional().summary("97 % of the executions needed no more."))
        .column(Column::rows("read_rows"))
        .column(Column::bytes("read_bytes"))
        .column(Column::rows("written_rows"))
        .column(Column::bytes("written_bytes"))
        .column(Column::rows("result_rows"))
        .column(Column::bytes("result_bytes"))
        .column(Column::json("users").summary("Up to five of the users who ran it."))
}
