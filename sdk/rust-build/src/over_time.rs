//! Charts over time: the window, the buckets, and the buckets in which nothing happened.
//!
//! What the statement is made of works on servers of every age: no `WITH FILL`, no table function, no `* EXCEPT`.

use serde::Deserialize;
use toml::Spanned;

use crate::columns::{Column, Kind};
use crate::file::{PanelFile, Variant};
use crate::named::Named;
use crate::parameters::Parameter;
use crate::sql::{Token, tokens};

/// Buckets as clients name them, with their seconds.
pub(crate) const INTERVALS: [(&str, &str); 8] = [
    ("toStartOfMinute", "60"),
    ("toStartOfFiveMinutes", "300"),
    ("toStartOfTenMinutes", "600"),
    ("toStartOfFifteenMinutes", "900"),
    ("toStartOfHour", "3600"),
    ("toStartOfDay", "86400"),
    ("toStartOfWeek", "604800"),
    ("toStartOfMonth", "2592000"),
];

/// Hours that can be looked back.
const HOURS: [i64; 2] = [1, 8760];

/// `[over_time]`: what is aggregated for each bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverTime {
    /// One of the tables that are read, without its database.
    pub table: Spanned<String>,
    pub interval: Spanned<String>,
    pub hours: Spanned<i64>,
    #[serde(rename = "where")]
    pub condition: Option<Spanned<String>>,
    #[serde(default)]
    pub by: Vec<Spanned<String>>,
    pub fill: Option<Fill>,
    pub breakdown: Option<Spanned<String>>,
}

/// What stands in the buckets in which nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fill {
    /// Counts of zero.
    Zero,
}

/// What expressions call the time of a row, as opposed to that of its bucket.
pub(crate) const ROW_TIME: &str = "row_time";

/// Column of the pairs in a breakdown.
pub(crate) const BREAKDOWN: &str = "breakdown";

/// Writes what `[over_time]` stands for into the file: parameters, columns, order and statements.
pub(crate) fn expand(file: &mut PanelFile) {
    let Some(chart) = file.over_time.clone() else { return };
    let at = chart.table.span();
    let spanned = |text: &str| Spanned::new(at.clone(), text.to_owned());
    let hours = "How far to look back, in hours; a chart too long to be shown loses its oldest rows.";
    file.parameters.0.extend([
        Named::made("interval", Parameter::choice(&INTERVALS, chart.interval.get_ref(), "Width of a bucket.")),
        Named::made("lastHours", Parameter::integer(HOURS, *chart.hours.get_ref(), hours)),
    ]);
    let bucket = Column {
        sql: Some(spanned("bucket")),
        summary: Some("Beginning of the bucket.".to_owned()),
        ..Column::of(Kind::Timestamp)
    };
    file.columns.0.insert(0, Named::made("event_time", bucket));
    file.x = Some(spanned("event_time"));
    file.order_by = vec![spanned("event_time")];
    file.order_by.extend(chart.by.iter().cloned());

    let Some(kind) = &chart.breakdown else {
        let counts: Vec<&str> = file.columns.names().skip(1).collect();
        file.sql = Some(spanned(&match chart.fill {
            None => chart.grouped(),
            Some(Fill::Zero) => chart.filled(&counts),
        }));
        return;
    };
    let counted = file.columns.iter().find(|column| column.value.kind == Kind::Count);
    let count = counted.map_or("query_count", |column| &column.name).to_owned();
    let each = counted.and_then(|column| column.value.sql.as_ref()).map_or("count()", |sql| sql.get_ref()).to_owned();
    // The column is the sum of what stands here.
    file.columns.0.iter_mut().filter(|column| column.name == count).for_each(|column| column.value.sql = None);
    if file.columns.of(BREAKDOWN).is_none() {
        let summary = Some("Pairs of kind and count, most frequent first.".to_owned());
        file.columns.0.push(Named::made(BREAKDOWN, Column { summary, ..Column::of(Kind::Json) }));
    }
    let is_column = matches!(tokens(kind.get_ref()).as_slice(), [only] if matches!(only.token, Token::Word(_)));
    if is_column {
        // A kind that only newer servers know: elsewhere all are of no kind. Of several statements that fit, a host takes the
        // last one.
        file.sql = Some(spanned(&chart.broken_down(&count, &each, "''")));
        file.variants.push(Variant {
            since: None,
            needs: vec![spanned(&format!("system.{}.{}", chart.table.get_ref(), kind.get_ref()))],
            sql: spanned(&chart.broken_down(&count, &each, kind.get_ref())),
        });
    } else {
        file.sql = Some(spanned(&chart.broken_down(&count, &each, kind.get_ref())));
    }
}

/// The beginning of the bucket that a time is in.
///
/// Seconds alone would cut days, weeks and months in UTC; people expect them in their own time zone.
fn bucket(time: &str) -> String {
    format!(
        "multiIf({{interval:UInt32}} >= 2592000, toDateTime(toStartOfMonth({time})), \
         {{interval:UInt32}} >= 604800, toDateTime(toMonday({time})), \
         {{interval:UInt32}} >= 86400, toDateTime(toStartOfDay({time})), \
         {{interval:UInt32}} >= 3600, toStartOfHour({time}), \
         toDateTime(intDiv(toUInt32({time}), {{interval:UInt32}}) * {{interval:UInt32}}))"
    )
}

/// At least one row for each bucket of the window, with these further columns.
///
/// A step in seconds misses the buckets of a day with 23 or 25 hours and those of a month. So the empty buckets are rows of their
/// own: one for each half of a bucket.
fn ticks(columns: &str) -> String {
    let tick = bucket("(now() - toIntervalSecond(intDiv(tick * {interval:UInt32}, 2)))");
    format!(
        "SELECT {tick} AS event_time, {columns} FROM (SELECT arrayJoin(range(\
         toUInt64(intDiv({{lastHours:UInt32}} * 7200, {{interval:UInt32}})) + 1)) AS tick)"
    )
}

impl OverTime {
    /// The rows of the window, each with the bucket it is in.
    ///
    /// The bucket has a name of its own: as `event_time` it would be what the condition means, and cut off the rows of the first one.
    /// So has the time of a row: around this, `event_time` is the bucket's beginning.
    /// The date alone selects the partitions. It is the server's date, and people may be in another time zone: hence the day of margin.
    fn rows(&self) -> String {
        let condition =
            self.condition.as_ref().map_or_else(String::new, |sql| format!("({}) AND ", sql.get_ref().trim()));
        format!(
            "SELECT *, event_time AS {ROW_TIME}, {} AS bucket FROM ${} WHERE {condition}\
             event_date >= toDate(now() - toIntervalHour({{lastHours:UInt32}})) - 1 \
             AND event_time >= now() - toIntervalHour({{lastHours:UInt32}})",
            bucket("event_time"),
            self.table.get_ref()
        )
    }

    /// Aggregates for each bucket and each value of further keys.
    fn grouped(&self) -> String {
        let keys: String = self.by.iter().map(|key| format!(", {}", key.get_ref())).collect();
        format!("SELECT $columns\nFROM ({})\nGROUP BY bucket{keys}", self.rows())
    }

    /// As [`OverTime::grouped`], with zeros for the buckets in which nothing happened.
    fn filled(&self, counts: &[&str]) -> String {
        let list =
            |write: &dyn Fn(&str) -> String| counts.iter().map(|name| write(name)).collect::<Vec<_>>().join(", ");
        let (sums, zeros) = (list(&|name| format!("sum({name}) AS {name}")), list(&|name| format!("0 AS {name}")));
        format!(
            "SELECT event_time, {sums} FROM (\n{}\nUNION ALL {})\nGROUP BY event_time",
            self.grouped(),
            ticks(&zeros)
        )
    }

    /// As [`OverTime::filled`], for one count and the kinds it is of.
    fn broken_down(&self, count: &str, each: &str, kind: &str) -> String {
        format!(
            "SELECT event_time, sum(kind_count) AS {count}, \
             arrayReverseSort(pair -> pair.2, groupArrayIf((kind_name, kind_count), kind_count > 0)) AS {BREAKDOWN} FROM (\n\
             SELECT bucket AS event_time, toString({kind}) AS kind_name, {each} AS kind_count\n\
             FROM ({})\nGROUP BY bucket, kind_name\nUNION ALL {})\nGROUP BY event_time",
            self.rows(),
            ticks("'' AS kind_name, 0 AS kind_count")
        )
    }
}
