//! What all charts over time share: the window, the buckets, and the buckets in which nothing happened.

use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel, Parameter};

use crate::family::within;

/// Buckets as clients name them, with their seconds.
const INTERVALS: [(&str, &str); 8] = [
    ("toStartOfMinute", "60"),
    ("toStartOfFiveMinutes", "300"),
    ("toStartOfTenMinutes", "600"),
    ("toStartOfFifteenMinutes", "900"),
    ("toStartOfHour", "3600"),
    ("toStartOfDay", "86400"),
    ("toStartOfWeek", "604800"),
    ("toStartOfMonth", "2592000"),
];

/// Most rows of a chart, which is what a host passes on unless its operator says otherwise.
const ROW_CAP: u32 = 10_000;

/// One day.
pub(crate) const DAY: u32 = 24;
/// One week.
pub(crate) const WEEK: u32 = 7 * DAY;
/// Two weeks.
pub(crate) const FORTNIGHT: u32 = 14 * DAY;

/// Starts a chart over time, with the bucket and the hours it shows unless a client says otherwise.
pub(crate) fn over_time(id: &str, feature: Feature, interval: &str, hours: u32) -> Panel {
    Panel::chart(id, feature)
        .parameter(Parameter::choice("interval", &INTERVALS).summary("Width of a bucket.").default(interval))
        .parameter(last_hours(hours))
        .column(Column::timestamp("event_time").summary("Beginning of the bucket."))
        .x("event_time")
        .row_cap(ROW_CAP)
}

/// The parameter for the window.
pub(crate) fn last_hours(hours: u32) -> Parameter {
    Parameter::integer("lastHours", 1..=8760)
        .summary("How far to look back, in hours; a chart over time shows the newest 10,000 rows of that.")
        .default(hours)
}

/// The beginning of the bucket that a time is in.
///
/// Seconds alone would cut days, weeks and months in UTC; people expect them in their own time zone.
fn bucket(time: &str) -> String {
    format!(
        "multiIf({{interval:UInt32}} >= 2592000, toDateTime(toStartOfMonth({time})), \
         {{interval:UInt32}} >= 604800, toDateTime(toMonday({time})), \
         {{interval:UInt32}} >= 86400, toStartOfDay({time}), \
         {{interval:UInt32}} >= 3600, toStartOfHour({time}), \
         toStartOfInterval({time}, toIntervalSecond({{interval:UInt32}})))"
    )
}

/// Aggregates the rows of a log for each bucket (`event_time`) and each value of the columns `by`, oldest first.
///
/// The bucket gets its name outside: inside, `event_time` in the condition would mean the bucket, and cut off the rows of
/// the first one.
pub(crate) fn per_bucket(log: &str, condition: &str, columns: &str, by: &[&str]) -> String {
    newest(&grouped(log, condition, columns, by))
}

/// The newest rows of a chart, oldest first. A host cuts off what comes last, and in a chart too long to be shown that
/// would be now.
fn newest(query: &str) -> String {
    format!("SELECT * FROM (SELECT * FROM ({query}) ORDER BY event_time DESC LIMIT {ROW_CAP}) ORDER BY event_time")
}

fn grouped(log: &str, condition: &str, columns: &str, by: &[&str]) -> String {
    let (bucket, within) = (bucket("event_time"), within("lastHours"));
    let keys = std::iter::once("bucket").chain(by.iter().copied()).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT bucket AS event_time, * EXCEPT (bucket) FROM (\
         SELECT {bucket} AS bucket, {columns} FROM {log} WHERE {condition} AND {within} GROUP BY {keys})"
    )
}

/// As [`per_bucket`], with counts that are zero for the buckets in which nothing happened. Each pair is a name and what
/// it counts.
pub(crate) fn counts_per_bucket(log: &str, condition: &str, counts: &[(&str, &str)]) -> String {
    let list = |column: &dyn Fn(&str, &str) -> String| {
        counts.iter().map(|(name, counted)| column(name, counted)).collect::<Vec<_>>().join(", ")
    };
    let happened = grouped(log, condition, &list(&|name, counted| format!("{counted} AS {name}")), &[]);
    let ticks = ticks(&list(&|name, _| format!("0 AS {name}")));
    let sums = list(&|name, _| format!("sum({name}) AS {name}"));
    newest(&format!("SELECT event_time, {sums} FROM ({happened} UNION ALL {ticks}) GROUP BY event_time"))
}

/// As [`counts_per_bucket`], for one count and the kinds it is of: `query_count`, and pairs of kind and count.
pub(crate) fn breakdown_per_bucket(log: &str, condition: &str, kind: &str) -> String {
    let happened = grouped(log, condition, &format!("toString({kind}) AS kind, count() AS count"), &["kind"]);
    let ticks = ticks("'' AS kind, 0 AS count");
    newest(&format!(
        "SELECT event_time, sum(count) AS query_count, \
         arrayReverseSort(pair -> pair.2, groupArrayIf((kind, count), count > 0)) AS breakdown \
         FROM ({happened} UNION ALL {ticks}) GROUP BY event_time"
    ))
}

/// At least one row for each bucket of the window, with these further columns.
///
/// `WITH FILL` has one step in seconds, which misses the buckets of a day with 23 or 25 hours and those of a month. So
/// the empty buckets are rows of their own: one for each half of a bucket.
fn ticks(columns: &str) -> String {
    let tick = bucket("now() - toIntervalSecond(intDiv(number * {interval:UInt32}, 2))");
    format!(
        "SELECT {tick} AS event_time, {columns} \
         FROM numbers(toUInt64(intDiv({{lastHours:UInt32}} * 7200, {{interval:UInt32}})) + 1)"
    )
}
