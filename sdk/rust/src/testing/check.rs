//! Looks over a panel's description as the host will, with texts for its author.

use std::collections::BTreeSet;

use crate::panels::{Panel, ParameterKind, Shape, Source};

/// What is wrong with a panel; empty when nothing is. A plugin's test asserts that, for each of its panels.
#[must_use]
pub fn problems(panel: &Panel) -> Vec<String> {
    let mut problems = Vec::new();
    let mut claim = |holds: bool, problem: String| {
        if !holds {
            problems.push(format!("{}: {problem}", panel.id));
        }
    };

    let id_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    claim(!panel.id.is_empty() && panel.id.chars().all(id_ok), "an id has a-z, 0-9, `-` and `_` only".into());
    claim(!panel.summary.is_empty(), "has no summary".into());
    claim(!panel.columns.is_empty(), "describes no column".into());
    claim(panel.row_cap > 0, "its row cap is 0".into());
    claim(
        (panel.source == Source::Described) != panel.queries.is_empty(),
        "a described panel has queries; a planned or fetched one has none".into(),
    );

    let mut columns = BTreeSet::new();
    for column in &panel.columns {
        claim(columns.insert(column.name.as_str()), format!("column `{}` appears twice", column.name));
    }
    if let Some(x) = &panel.x {
        claim(panel.shape == Shape::Chart, "only a chart has an x axis".into());
        claim(columns.contains(x.as_str()), format!("x is `{x}`, which is no column"));
    }

    let mut declared = BTreeSet::new();
    for parameter in &panel.parameters {
        let name = parameter.name.as_str();
        claim(declared.insert(name), format!("parameter `{name}` appears twice"));
        claim(
            !["hostId", "limit", "format", "timezone"].contains(&name),
            format!("parameter `{name}` is the host's own"),
        );
        claim(
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty(),
            format!("parameter `{name}` has letters, digits and underscores only"),
        );
        if let Some(value) = &parameter.default {
            claim(fits(&parameter.kind, value), format!("the default `{value}` of `{name}` is not one of its values"));
        }
    }

    let mut used = BTreeSet::new();
    let mut versions = BTreeSet::new();
    for variant in &panel.queries {
        claim(versions.insert(&variant.since), format!("two queries are for version {:?}", variant.since));
        claim(!variant.sql.contains(';'), "a query is one statement, without `;`".into());
        for word in ["FORMAT", "SETTINGS"] {
            claim(
                !variant.sql.split_whitespace().any(|part| part.eq_ignore_ascii_case(word)),
                format!("a query leaves {word} to the host"),
            );
        }
        used.extend(placeholders(&variant.sql));
    }
    if panel.source == Source::Described {
        for name in &used {
            claim(declared.contains(name), format!("a query uses `{{{name}:…}}`, which is no parameter"));
        }
        for name in declared {
            claim(used.contains(name), format!("no query uses parameter `{name}`"));
        }
    }
    problems
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

/// The names in `{name:Type}`.
fn placeholders(sql: &str) -> Vec<&str> {
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    sql.split('{').skip(1).filter_map(|part| part.split_once(':')).map(|(name, _)| name).filter(is_name).collect()
}
