//! System logs as they survive upgrades.
//!
//! When an upgrade changes the columns of a log, ClickHouse renames the old table to `<log>_0`, `<log>_1`, …, and begins
//! a new one. Charts look back over all of them.

/// `query_log` and its predecessors.
pub(crate) const QUERY_LOG: &str = "merge('system', '^query_log(_[0-9]+)?$')";
/// `part_log` and its predecessors.
pub(crate) const PART_LOG: &str = "merge('system', '^part_log(_[0-9]+)?$')";
/// `metric_log` and its predecessors.
pub(crate) const METRIC_LOG: &str = "merge('system', '^metric_log(_[0-9]+)?$')";

/// A condition on a log's rows: not older than the hours in a parameter.
///
/// The date alone selects the partitions. It is the server's date, and the session may be in another time zone: hence
/// the day of margin.
pub(crate) fn within(hours: &str) -> String {
    format!(
        "event_date >= toDate(now() - toIntervalHour({{{hours}:UInt32}})) - 1 \
         AND event_time >= now() - toIntervalHour({{{hours}:UInt32}})"
    )
}
