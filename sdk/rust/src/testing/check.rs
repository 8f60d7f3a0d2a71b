//! Looks over a panel's description as the host will, with texts for its author.

use std::collections::BTreeSet;

use crate::Panels;
use crate::panels::{ColumnKind, Operator, Panel, ParameterKind, Shape, Source};

/// Names in the query string that are the host's own.
const RESERVED: [&str; 10] =
    ["hostId", "host", "limit", "offset", "sort", "format", "timezone", "scope", "cluster", "params"];

/// What is wrong with the panels of a plugin, each and together; empty when nothing is.
///
/// A plugin's test asserts that, so that a mistake is not found by the operator who loads the plugin.
#[must_use]
pub fn all_problems<P: Panels>() -> Vec<String> {
    let panels = P::describe();
    let mut found: Vec<String> = panels.iter().flat_map(problems).collect();
    let mut seen = BTreeSet::new();
    for panel in &panels {
        if !seen.insert((panel.shape as u8, panel.id.as_str())) {
            found.push(format!("{}: two panels of one shape have this id", panel.id));
        }
        if let Some(other) = &panel.when_empty
            && !panels.iter().any(|panel| panel.shape == Shape::Table && panel.id == *other)
        {
            found.push(format!("{}: when it is empty, `{other}` is shown, which is no table here", panel.id));
        }
    }
    found
}

/// What is wrong with a panel; empty when nothing is.
#[must_use]
pub fn problems(panel: &Panel) -> Vec<String> {
    let mut found = Found { panel, problems: Vec::new() };
    let id_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    found.claim(!panel.id.is_empty() && panel.id.chars().all(id_ok), || "an id has a-z, 0-9, `-` and `_` only".into());
    found.claim(!panel.summary.is_empty(), || "has no summary".into());
    found.claim(panel.row_cap > 0, || "its row cap is 0".into());
    found.claim(panel.default_limit <= panel.row_cap, || "its default limit is more than its row cap".into());
    found.claim((panel.source == Source::Described) != panel.queries.is_empty(), || {
        "a described panel has queries; a planned or fetched one has none".into()
    });
    columns(&mut found);
    parameters_and_filters(&mut found);
    if panel.source == Source::Described {
        statements(&mut found);
    }
    found.problems
}

struct Found<'a> {
    panel: &'a Panel,
    problems: Vec<String>,
}

impl Found<'_> {
    fn claim(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(format!("{}: {}", self.panel.id, problem()));
        }
    }
}

fn columns(found: &mut Found<'_>) {
    let panel = found.panel;
    let mut names = BTreeSet::new();
    found.claim(!panel.columns.is_empty(), || "describes no column".into());
    for column in &panel.columns {
        let name = &column.name;
        found.claim(names.insert(name.as_str()), || format!("column `{name}` appears twice"));
        let alone = column.needs.iter().any(|needed| needed.matches('.').count() < 2) && panel.requires.is_empty();
        found.claim(!alone, || format!("column `{name}` needs a column of a table, and the panel requires none"));
    }
    let mut named: Vec<(&str, &str)> = panel.order.iter().map(|key| ("its order", key.column.as_str())).collect();
    named.extend(panel.x.iter().map(|x| ("x", x.as_str())));
    named.extend(panel.check.iter().map(|check| ("its check", check.column.as_str())));
    named.extend(panel.filters.iter().map(|filter| ("a filter", filter.column.as_str())));
    let arguments = panel.row_actions.iter().flat_map(|action| &action.arguments);
    named.extend(arguments.map(|argument| ("an action", argument.column.as_str())));
    for (what, column) in named {
        found.claim(names.contains(column), || format!("{what} is `{column}`, which is no column"));
    }
    found.claim(panel.x.is_none() || panel.shape == Shape::Chart, || "only a chart has an x axis".into());
    found.claim(panel.when_empty.is_none() || panel.shape == Shape::Table, || {
        "only a table can show another one when it is empty".into()
    });
    if matches!(panel.shape, Shape::Counter | Shape::ClusterCounter) {
        found.claim(names.into_iter().eq(["count"]), || "a counter has one column, `count`".into());
    }
    if let Some(check) = &panel.check {
        found.claim(check.warning <= check.critical, || "its check is critical before it is a warning".into());
    }
}

fn parameters_and_filters(found: &mut Found<'_>) {
    let panel = found.panel;
    let parameters = panel.parameters.iter().map(|parameter| ("parameter", parameter.name.as_str()));
    let filters = panel.filters.iter().map(|filter| ("filter", filter.name.as_str()));
    let mut names = BTreeSet::new();
    for (what, name) in parameters.chain(filters) {
        found.claim(names.insert(name), || format!("{what} `{name}`: the name appears twice"));
        found.claim(!RESERVED.contains(&name), || format!("{what} `{name}` is the host's own"));
        found.claim(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), || {
            format!("{what} `{name}` has letters, digits and underscores only")
        });
    }
    for parameter in &panel.parameters {
        let (name, default) = (&parameter.name, parameter.default.as_deref().unwrap_or_default());
        found.claim(parameter.default.is_none() || fits(&parameter.kind, default), || {
            format!("the default `{default}` of `{name}` is not one of its values")
        });
    }
    for filter in &panel.filters {
        let name = &filter.name;
        found.claim(!filter.operators.is_empty(), || format!("filter `{name}` has no operator"));
        if let Some(column) = panel.columns.iter().find(|column| column.name == filter.column) {
            let fit = filter.operators.iter().all(|operator| compares(*operator, column.kind));
            found.claim(fit, || format!("an operator of filter `{name}` does not fit its column"));
        }
    }
}

fn statements(found: &mut Found<'_>) {
    let panel = found.panel;
    let mut used = BTreeSet::new();
    let mut versions = Vec::new();
    let expressions = panel.columns.iter().flat_map(|column| column.sql.iter().chain(&column.otherwise));
    let has_expressions = expressions.clone().next().is_some();
    let has_slot = panel.queries.iter().any(|query| query.sql.contains("$columns"));
    for query in &panel.queries {
        let range = (&query.since, &query.needs);
        found.claim(!versions.contains(&range), || format!("two queries are for version {:?}", query.since));
        versions.push(range);
        found.claim(!query.sql.contains(';'), || "a query is one statement, without `;`".into());
        for word in ["FORMAT", "SETTINGS"] {
            found.claim(!query.sql.split_whitespace().any(|part| part == word), || {
                format!("a query leaves {word} to the host")
            });
        }
        let slot = query.sql.contains("$columns");
        found.claim(slot == has_slot, || "either each of its queries has `$columns`, or none".into());
        for (before, slot) in query.sql.split('$').zip(query.sql.split('$').skip(1)) {
            let end = slot.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(slot.len());
            let (name, needed) = (&slot[..end], panel.requires.iter().map(|needed| needed.table.as_str()));
            // An end of line in a regular expression is no slot.
            let known = name.is_empty()
                || name == "columns"
                || before.ends_with('\\')
                || needed.filter_map(|table| table.rsplit_once('.')).any(|(_, table)| table == name);
            found.claim(known, || format!("`${name}` is neither `$columns` nor a table it requires"));
        }
        used.extend(placeholders(&query.sql));
    }
    if !has_slot && has_expressions {
        // Expressions only say what a column is called; they are not selected, so they take no parameter.
        let takes = expressions.clone().any(|sql| !placeholders(sql).is_empty());
        found.claim(!takes, || "its columns have expressions, but no query has `$columns`".into());
    }
    used.extend(expressions.flat_map(|sql| placeholders(sql)));
    let declared: BTreeSet<&str> = panel.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    for name in &used {
        found.claim(declared.contains(name), || format!("a query uses `{{{name}:…}}`, which is no parameter"));
    }
    for name in declared {
        found.claim(used.contains(name), || format!("no query uses parameter `{name}`"));
    }
}

fn fits(kind: &ParameterKind, value: &str) -> bool {
    match kind {
        ParameterKind::Text(limits) => value.chars().count() <= limits.max_length as usize,
        ParameterKind::Integer(bounds) => {
            value.parse::<i64>().is_ok_and(|number| (bounds.min..=bounds.max).contains(&(number as f64)))
        }
        ParameterKind::Number(bounds) => {
            value.parse::<f64>().is_ok_and(|number| (bounds.min..=bounds.max).contains(&number))
        }
        ParameterKind::Boolean => ["true", "false"].contains(&value),
        ParameterKind::Choice(choices) => choices.iter().any(|choice| choice.value == value),
    }
}

/// Whether a column of this kind can be compared so. The host holds the same table.
fn compares(operator: Operator, kind: ColumnKind) -> bool {
    use Operator::{Between, Contains, Gt, Gte, InList, Lt, Lte, NotContains, NotInList, WithinHours};
    match kind {
        ColumnKind::Text | ColumnKind::Statement => !matches!(operator, Gt | Gte | Lt | Lte | Between | WithinHours),
        ColumnKind::Json => matches!(operator, Contains | NotContains),
        ColumnKind::Integer | ColumnKind::Number | ColumnKind::Boolean => {
            !matches!(operator, Contains | NotContains | WithinHours)
        }
        ColumnKind::Timestamp => !matches!(operator, Contains | NotContains | InList | NotInList),
    }
}

/// The names in `{name:Type}`.
fn placeholders(sql: &str) -> Vec<&str> {
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    sql.split('{').skip(1).filter_map(|part| part.split_once(':')).map(|(name, _)| name).filter(is_name).collect()
}
