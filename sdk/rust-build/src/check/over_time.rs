//! `[over_time]`, as it was written.

use super::{Found, at, is_column};
use crate::columns::Kind;
use crate::file::PanelFile;
use crate::near;
use crate::over_time::{BREAKDOWN, INTERVALS, OverTime, ROW_TIME};
use crate::shape::Shape;
use crate::sql::{Token, tokens};

pub(super) fn check(file: &PanelFile, chart: &OverTime, shape: Shape, found: &mut Found) {
    let place = at(&chart.table);
    if shape != Shape::Chart {
        found.push((place, format!("`[over_time]` is for charts; this file lies in panels/{}", shape.folder())));
    }
    let interval = chart.interval.get_ref();
    if !INTERVALS.iter().any(|(word, _)| word == interval) {
        let words: Vec<&str> = INTERVALS.iter().map(|(word, _)| *word).collect();
        let hint = near::hint(interval, words.iter().copied());
        let expected = words.join(", ");
        found.push((at(&chart.interval), format!("`{interval}` is no interval{hint}; expected one of {expected}")));
    }
    let table = chart.table.get_ref();
    let reads = || file.reads.iter().filter_map(|read| read.get_ref().table.rsplit_once('.'));
    if !reads().any(|(_, name)| name == table) {
        let hint = near::hint(table, reads().map(|(_, name)| name));
        let said = format!(
            "`[over_time]` is over `{table}`, which is not in `reads`{hint}; expected the table's name without its database"
        );
        found.push((place, said));
    }
    let said_twice = [
        ("order_by", file.order_by.first().and_then(at)),
        ("x", file.x.as_ref().and_then(at)),
        (
            "column `event_time`",
            file.columns.iter().find(|column| column.name == "event_time").and_then(|found| found.at),
        ),
        ("parameter `interval`", file.parameters.iter().find(|one| one.name == "interval").and_then(|found| found.at)),
        (
            "parameter `lastHours`",
            file.parameters.iter().find(|one| one.name == "lastHours").and_then(|found| found.at),
        ),
    ];
    for (what, place) in said_twice.into_iter().filter(|(_, place)| place.is_some()) {
        found.push((place, format!("{what} comes from `[over_time]`; leave it out")));
    }
    for column in file.columns.iter() {
        for expression in column.value.sql.iter().chain(&column.value.otherwise) {
            if tokens(expression.get_ref()).iter().any(|placed| placed.token == Token::Word("event_time")) {
                let said =
                    format!("`event_time` is the beginning of the bucket here; the time of a row is `{ROW_TIME}`");
                found.push((at(expression), format!("column `{}`: {said}", column.name)));
            }
        }
    }
    for key in &chart.by {
        is_column(file, key.get_ref(), at(key), "`by`", found);
    }
    if chart.fill.is_some() || chart.breakdown.is_some() {
        filled(file, chart, found);
        shown_whole(file, chart, shape, found);
    }
}

/// Each bucket of the window has a row, so the default window must not have more of them than an answer has rows.
fn shown_whole(file: &PanelFile, chart: &OverTime, shape: Shape, found: &mut Found) {
    let interval = INTERVALS.iter().find(|(word, _)| word == chart.interval.get_ref());
    let Some(seconds) = interval.and_then(|(_, seconds)| seconds.parse::<i64>().ok()) else { return };
    let rows = chart.hours.get_ref().saturating_mul(3600) / seconds + 1;
    // An operator may allow more rows; out of the box, a host gives no chart more.
    let cap = file.row_cap.unwrap_or(shape.row_cap()).min(shape.row_cap());
    if rows > i64::from(cap) {
        let said = format!(
            "{} hours have {rows} buckets, and an answer has {cap} rows at most: give a longer `interval` or fewer `hours`",
            chart.hours.get_ref()
        );
        found.push((at(&chart.hours), said));
    }
}

fn filled(file: &PanelFile, chart: &OverTime, found: &mut Found) {
    let place = at(&chart.table);
    if !chart.by.is_empty() {
        found.push((place, "an empty bucket has no key: `by` goes with neither `fill` nor `breakdown`".to_owned()));
    }
    let counts = file.columns.iter().filter(|column| column.name != BREAKDOWN || chart.breakdown.is_none());
    for column in counts.clone() {
        if !column.value.kind.is_number() {
            found.push((
                column.at,
                format!("column `{}`: an empty bucket is 0 in each column, so each is a count", column.name),
            ));
        }
        if !column.value.needs.is_empty() && column.value.otherwise.is_none() {
            let said = "a sum cannot tell null from 0: give it `otherwise`, or name the columns it needs in `reads`";
            found.push((column.at, format!("column `{}`: {said}", column.name)));
        }
    }
    if chart.breakdown.is_some() {
        if counts.clone().count() != 1 || !counts.clone().all(|column| column.value.kind == Kind::Count) {
            found
                .push((place, "a chart with `breakdown` has one column of the kind count, and `breakdown`".to_owned()));
        }
        if file.columns.of(BREAKDOWN).is_some_and(|column| column.kind != Kind::Json || column.sql.is_some()) {
            found.push((
                place,
                "the column `breakdown` is of the kind json, and its `sql` is written for you".to_owned(),
            ));
        }
    }
}
