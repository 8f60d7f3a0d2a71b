//! Columns.

use super::{Found, at, is_name};
use crate::columns::{Column, Kind};
use crate::file::PanelFile;
use crate::shape::Shape;

/// Columns that the host adds where several servers answer.
const LABELS: [&str; 3] = ["hostId", "hostName", "replica_host"];

pub(super) fn check(file: &PanelFile, shape: Shape, found: &mut Found) {
    if file.columns.is_empty() {
        found.push((None, "`[columns]` names no column of the result".to_owned()));
    }
    if shape.counts() {
        let is_count = |column: &Column| matches!(column.kind, Kind::Count | Kind::Integer);
        if file.columns.len() != 1 || !file.columns.of("count").is_some_and(is_count) {
            found.push((None, "a counter has one column, `count`, of the kind count".to_owned()));
        }
    }
    for column in file.columns.iter() {
        let (name, value, place) = (&column.name, &column.value, column.at);
        if !is_name(name) {
            found.push((place, format!("column `{name}`: letters, digits and underscores only, a letter first")));
        } else if LABELS.contains(&name.as_str()) {
            let said = "the host's own, where several servers answer; its names are";
            found.push((place, format!("column `{name}` is {said} {}", LABELS.join(", "))));
        }
        if value.fractional && !value.kind.is_number() {
            let kind = value.kind.word();
            found.push((place, format!("column `{name}`: only a number can be fractional, and its kind is {kind}")));
        }
        if value.otherwise.is_some() && value.needs.is_empty() && value.sql.is_some() {
            found.push((place, format!("column `{name}`: `otherwise` without `needs` is never selected")));
        }
        for expression in value.sql.iter().chain(&value.otherwise) {
            if expression.get_ref().trim().is_empty() {
                found.push((at(expression), format!("column `{name}` has an empty expression")));
            }
        }
        if value.sql.is_none() && !value.needs.is_empty() {
            found.push((place, format!("column `{name}`: without `sql` it needs itself, and nothing else")));
        }
        for needed in &value.needs {
            if let Err(said) = reachable(needed.get_ref(), file) {
                found.push((at(needed), format!("column `{name}`: {said}")));
            }
        }
    }
}

/// A column of the first table, which may be a nested one (`assignments.offset`), or one with its table.
fn reachable(needed: &str, file: &PanelFile) -> Result<(), String> {
    let parts: Vec<&str> = needed.split('.').collect();
    let expected = "expected `column` of the first table in `reads`, or `database.table.column`";
    let of_table = |part: &str| {
        file.reads.iter().any(|read| read.get_ref().table.split_once('.').is_some_and(|(database, _)| database == part))
    };
    match parts.as_slice() {
        parts if parts.iter().any(|part| part.is_empty()) => Err(format!("it needs `{needed}`; {expected}")),
        [database, _] if of_table(database) => {
            Err(format!("it needs `{needed}`, a table; {expected}: name one of the table's columns"))
        }
        [_] | [_, _] if file.reads.is_empty() => {
            Err(format!("it needs `{needed}`, but `reads` names no table; {expected}"))
        }
        _ => Ok(()),
    }
}
