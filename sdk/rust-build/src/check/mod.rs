//! Everything about a panel file that can be checked without a server.

mod columns;
mod filters;
mod over_time;
mod parameters;
mod statements;

use std::collections::BTreeSet;

use toml::Spanned;

use crate::file::{PanelFile, Source};
use crate::named::Named;
use crate::near;
use crate::panel::Surroundings;
use crate::shape::Shape;

/// Byte in the file, where there is one, and what is wrong there.
pub(crate) type Found = Vec<(Option<usize>, String)>;

/// Longest name, in characters.
const LONGEST_NAME: usize = 64;
/// Most rows a panel may ask for in one answer.
const MOST_ROWS: u32 = 100_000;
/// Names in the query string that are the host's own.
const RESERVED: [&str; 10] =
    ["hostId", "host", "limit", "offset", "sort", "format", "timezone", "scope", "cluster", "params"];

/// The features of the permission matrix.
pub(crate) const FEATURES: [&str; 19] = [
    "overview",
    "agent",
    "insights",
    "health",
    "queries",
    "tables",
    "metrics",
    "dashboard",
    "security",
    "logs",
    "settings",
    "billing",
    "cluster",
    "operations",
    "actions",
    "mcp",
    "peerdb",
    "docs",
    "about",
];

/// What must hold before `[over_time]` can be written out.
pub(crate) fn as_written(file: &PanelFile, shape: Shape) -> Found {
    let mut found = Found::new();
    let given = [file.sql.is_some() || !file.variants.is_empty(), file.over_time.is_some(), file.source.is_some()];
    if given.into_iter().filter(|given| *given).count() != 1 {
        found.push((
            None,
            "expected one of `sql`, `[over_time]` and `source = \"fetched\"` (or `\"planned\"`)".to_owned(),
        ));
    }
    if let Some(chart) = &file.over_time {
        over_time::check(file, chart, shape, &mut found);
    }
    found
}

/// What must hold of the panel as a whole.
pub(crate) fn as_panel(id: &str, file: &PanelFile, shape: Shape, surroundings: &Surroundings) -> Found {
    let mut found = Found::new();
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let fits = id.starts_with(|c: char| c.is_ascii_lowercase()) && id.len() <= LONGEST_NAME;
    if !fits || !id.chars().all(letters) {
        found.push((
            None,
            format!("a panel's id is its file's name, and `{id}` is none: a-z, 0-9, `-` and `_` only, a letter first"),
        ));
    }
    for (key, text) in [("title", &file.title), ("summary", &file.summary)] {
        if text.trim().is_empty() {
            found.push((None, format!("`{key}` is empty; expected words for people")));
        }
    }
    let feature = file.feature.get_ref();
    if !FEATURES.contains(&feature.as_str()) && surroundings.plugin.as_ref() != Some(feature) {
        let hint = near::hint(feature, FEATURES);
        let own = surroundings.plugin.as_deref().unwrap_or("the plugin's id");
        let expected = FEATURES.join(", ");
        found.push((at(&file.feature), format!("`{feature}` is no feature{hint}; expected {expected}, or `{own}`")));
    }
    if file.row_cap.is_some_and(|rows| rows == 0 || rows > MOST_ROWS) {
        found.push((None, format!("`row_cap`: expected the most rows of an answer, 1 to {MOST_ROWS}")));
    }
    let cap = file.row_cap.unwrap_or(shape.row_cap());
    if file.default_limit.is_some_and(|rows| rows == 0 || rows > cap) {
        found.push((None, format!("`default_limit`: expected rows for a client that names none, 1 to {cap}")));
    }
    drawn(file, shape, &mut found);
    beside(id, file, shape, surroundings, &mut found);
    columns::check(file, shape, &mut found);
    parameters::check(file, &mut found);
    filters::check(file, &mut found);
    if file.source.is_none() {
        statements::check(file, shape, &mut found);
    } else if file.source == Some(Source::Fetched) && !file.reads.is_empty() {
        found.push((None, "the plugin brings the rows itself, so `reads` names no table".to_owned()));
    }
    found
}

fn drawn(file: &PanelFile, shape: Shape, found: &mut Found) {
    if shape != Shape::Chart {
        let keys = [("drawing", file.drawing.as_ref().and_then(at)), ("x", file.x.as_ref().and_then(at))];
        for (key, place) in keys.into_iter().filter(|(_, place)| place.is_some()) {
            found.push((place, format!("`{key}` is for charts; this file lies in panels/{}", shape.folder())));
        }
    } else if let Some(x) = &file.x {
        is_column(file, x.get_ref(), at(x), "`x`", found);
    } else if file.drawing.as_ref().is_none_or(|drawing| *drawing.get_ref() != crate::file::Drawing::Stat) {
        found.push((
            None,
            "a chart needs `x`, the column on its x axis, or `drawing = \"stat\"` for one number".to_owned(),
        ));
    }
}

/// What the file names of other files, and what of the columns.
fn beside(id: &str, file: &PanelFile, shape: Shape, surroundings: &Surroundings, found: &mut Found) {
    if let Some(other) = &file.when_empty {
        let name = other.get_ref();
        if shape != Shape::Table || name == id {
            found.push((at(other), "`when_empty` names another table, and only a table has it".to_owned()));
        } else if !surroundings.tables.contains(name) {
            let hint = near::hint(name, surroundings.tables.iter().map(String::as_str));
            found.push((at(other), format!("`when_empty`: there is no panels/tables/{name}.toml{hint}")));
        }
    }
    for key in &file.order_by {
        let column = key.get_ref().strip_prefix('-').unwrap_or(key.get_ref());
        is_column(file, column, at(key), "`order_by`", found);
    }
    if let Some(check) = &file.check {
        let column = check.column.get_ref();
        is_column(file, column, at(&check.column), "`check`", found);
        if file.columns.of(column).is_some_and(|column| !column.kind.is_number()) {
            found.push((at(&check.column), format!("`check`: `{column}` is no number")));
        }
        if check.warning.partial_cmp(&check.critical).is_none_or(std::cmp::Ordering::is_gt) {
            let said = format!("`check`: warning {} comes after critical {}", check.warning, check.critical);
            found.push((at(&check.column), said));
        }
    }
    for action in &file.actions {
        if !is_name(action.action.get_ref()) || action.title.trim().is_empty() {
            found.push((at(&action.action), "an action has a name of letters and digits, and a title".to_owned()));
        }
        for argument in action.arguments.iter() {
            is_column(file, &argument.value, argument.at, &format!("argument `{}`", argument.name), found);
        }
    }
}

/// Where a value stands.
fn at<T>(value: &Spanned<T>) -> Option<usize> {
    Some(value.span().start)
}

/// Finds a column that is named and not there.
fn is_column(file: &PanelFile, name: &str, at: Option<usize>, where_named: &str, found: &mut Found) {
    if file.columns.of(name).is_none() {
        let hint = near::hint(name, file.columns.names());
        found.push((at, format!("{where_named} names `{name}`, which is no column{hint}")));
    }
}

/// Whether it can be a parameter's, filter's or column's name: letters, digits and underscores, a letter first.
fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Finds names in the query string that cannot be one, are the host's, or are taken.
fn query_names<'a, T: 'a>(
    what: &str,
    entries: impl Iterator<Item = &'a Named<T>>,
    taken: &mut BTreeSet<&'a str>,
    found: &mut Found,
) {
    for Named { name, at, .. } in entries {
        if !is_name(name) {
            found.push((*at, format!("{what} `{name}`: letters, digits and underscores only, a letter first")));
        } else if RESERVED.contains(&name.as_str()) {
            found.push((*at, format!("{what} `{name}` is the host's own; its names are {}", RESERVED.join(", "))));
        } else if !taken.insert(name) {
            found.push((*at, format!("{what} `{name}`: a parameter or filter has that name already")));
        }
    }
}
