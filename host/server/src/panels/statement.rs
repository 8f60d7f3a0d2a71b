//! Writes a panel's statement for one server.
//!
//! The panel says what it selects; the server decides what of it is there. What a server lacks is null, and what a panel cannot do
//! without makes it [`Lack`]. Order, filters and the cut are the host's, in a select around the panel's own, so that they hold for
//! every panel alike.

use std::fmt::Write as _;

use chm_clickhouse::{GuardedQuery, Refusal, TableName, redaction_sql};

use super::cut::{Cut, SortKey};
use super::facts::Facts;
use super::filter::Condition;
use super::selection::{Release, Requirement, Selection, Variant};

/// Most values of a column that are offered for a filter.
pub const MOST_VALUES: u32 = 200;

/// What a server does not have, and the panel cannot do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// Every statement of the panel is for newer servers.
    Release(Release),
    /// A table.
    Table(TableName),
    /// Columns of a table.
    Columns(TableName, Vec<String>),
}

/// What the client asked for beside the panel's own parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    /// Conditions on the result.
    pub conditions: Vec<Condition>,
    /// Order and length.
    pub cut: Cut,
    /// Columns with fixed values before all others: the server's name, where several are asked.
    pub labels: &'static [(&'static str, &'static str)],
    /// The rows leave in a form in which credentials cannot be hidden on the way, so the server has to; and in which nulls have a type.
    pub hide_in_sql: bool,
}

/// A statement for one server.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Through the guard.
    pub query: GuardedQuery,
    /// What [`Condition`]s bind.
    pub bindings: Vec<(String, String)>,
    /// Columns that this server lacks; they are null.
    pub absent: Vec<String>,
}

/// Why there is no statement.
#[derive(Debug, Clone)]
pub enum NoStatement {
    /// The server lacks something.
    Lack(Lack),
    /// A filter is about a column that this server lacks.
    Filter {
        /// The filter.
        name: String,
        /// The column.
        column: String,
    },
    /// The guard refuses it.
    Refused(Refusal),
}

/// The statement of a described panel.
///
/// # Errors
/// When the server lacks something, or the guard refuses.
pub fn described(selection: &Selection, server: &impl Facts, wishes: &Wishes) -> Result<Statement, NoStatement> {
    let variant = variant(selection, server).map_err(NoStatement::Lack)?;
    if let Some(lack) = selection.requires.iter().find_map(|needed| lack(needed, server)) {
        return Err(NoStatement::Lack(lack));
    }
    let (list, absent) = select_list(selection, server, wishes.hide_in_sql);
    let inner = fill_slots(selection, variant, server, &list);
    around(&inner, absent, wishes)
}

/// The different values of one column of a described panel, with how many rows have each.
///
/// # Errors
/// As [`described`].
pub fn values_of(
    selection: &Selection,
    server: &impl Facts,
    column: &str,
    conditions: &[Condition],
) -> Result<Statement, NoStatement> {
    let rows = described(selection, server, &Wishes { conditions: conditions.to_vec(), ..Wishes::default() })?;
    if rows.absent.iter().any(|absent| absent == column) {
        return Err(NoStatement::Filter { name: column.to_owned(), column: column.to_owned() });
    }
    let inner = format!(
        "SELECT toString(`{column}`) AS value, count() AS count FROM (\n{}\n) GROUP BY value HAVING value != ''",
        rows.query.sql()
    );
    let order = vec![
        SortKey { column: "count".to_owned(), descending: true },
        SortKey { column: "value".to_owned(), descending: false },
    ];
    let cut = Cut { order, offset: 0, limit: Some(MOST_VALUES) };
    let mut statement = around(&inner, Vec::new(), &Wishes { cut, ..Wishes::default() })?;
    statement.bindings = rows.bindings;
    Ok(statement)
}

/// The statement around one that a guest planned.
///
/// # Errors
/// When the guard refuses.
pub fn planned(sql: &str, wishes: &Wishes) -> Result<Statement, NoStatement> {
    around(sql, Vec::new(), wishes)
}

fn variant<'p>(selection: &'p Selection, server: &impl Facts) -> Result<&'p Variant, Lack> {
    let fits = |variant: &&Variant| {
        let new_enough = match (variant.since, server.release()) {
            (Some(since), Some(release)) => since <= release,
            _ => true,
        };
        new_enough && variant.needs.iter().all(|needed| lack(needed, server).is_none())
    };
    let newest = selection.variants.iter().filter(fits).max_by_key(|variant| variant.since);
    newest.ok_or_else(|| Lack::Release(selection.oldest_release()))
}

fn lack(needed: &Requirement, server: &impl Facts) -> Option<Lack> {
    if !server.has_table(&needed.table) {
        return Some(Lack::Table(needed.table.clone()));
    }
    let missing: Vec<String> =
        needed.columns.iter().filter(|column| !server.has_column(&needed.table, column)).cloned().collect();
    (!missing.is_empty()).then(|| Lack::Columns(needed.table.clone(), missing))
}

/// `expression AS name` for each column, and the names of those that are null here.
fn select_list(selection: &Selection, server: &impl Facts, hide: bool) -> (String, Vec<String>) {
    let mut list = String::new();
    let mut absent = Vec::new();
    for column in &selection.columns {
        let there = column.needs.iter().all(|(table, name)| server.has_column(table, name));
        let expression = match (&column.sql, there) {
            (Some(sql), true) => sql.clone(),
            (None, true) => format!("`{}`", column.name),
            (_, false) => {
                absent.push(column.name.clone());
                // Parquet and Arrow have no column of nothing but nulls without a type.
                let null = if hide { "CAST(NULL AS Nullable(String))" } else { "NULL" };
                column.otherwise.clone().filter(|it| it != "NULL").unwrap_or_else(|| null.to_owned())
            }
        };
        let expression = if hide && there && column.is_statement { redaction_sql(&expression) } else { expression };
        if !list.is_empty() {
            list.push_str(",\n  ");
        }
        let _ = write!(list, "{expression} AS `{}`", column.name);
    }
    (list, absent)
}

fn fill_slots(selection: &Selection, variant: &Variant, server: &impl Facts, list: &str) -> String {
    let mut sql = String::with_capacity(variant.sql.len() + list.len());
    let mut rest = variant.sql.as_str();
    while let Some(at) = rest.find('$') {
        let (before, slot) = rest.split_at(at);
        sql.push_str(before);
        let end = slot[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(slot.len(), |end| end + 1);
        let (word, after) = slot.split_at(end);
        match (&word[1..], selection.requires.iter().find(|needed| needed.table.table() == &word[1..])) {
            ("columns", _) => sql.push_str(list),
            (_, Some(needed)) => sql.push_str(&table(needed, server)),
            _ => sql.push_str(word),
        }
        rest = after;
    }
    sql.push_str(rest);
    sql
}

/// A table as a statement names it; a log together with what upgrades left of it.
fn table(needed: &Requirement, server: &impl Facts) -> String {
    let (database, name) = (needed.table.database(), needed.table.table());
    if needed.family && server.has_predecessors(&needed.table) {
        format!("merge('{database}', '^{name}(_[0-9]+)?$')")
    } else {
        format!("`{database}`.`{name}`")
    }
}

fn around(inner: &str, absent: Vec<String>, wishes: &Wishes) -> Result<Statement, NoStatement> {
    if let Some(condition) = wishes.conditions.iter().find(|condition| absent.contains(&condition.column)) {
        return Err(NoStatement::Filter { name: condition.name.clone(), column: condition.column.clone() });
    }
    // On its own first: so that no unclosed bracket of it reaches into what is the host's.
    GuardedQuery::check(inner).map_err(NoStatement::Refused)?;
    let mut sql = "SELECT ".to_owned();
    for (name, value) in wishes.labels {
        let _ = write!(sql, "{value} AS `{name}`, ");
    }
    let _ = write!(sql, "* FROM (\n{}\n)", inner.trim());
    let mut bindings = Vec::new();
    for (index, condition) in wishes.conditions.iter().enumerate() {
        sql.push_str(if index == 0 { "\nWHERE " } else { "\nAND " });
        sql.push_str(&condition.sql(index, &mut bindings));
    }
    wishes.cut.write(&mut sql, &absent);
    let query = GuardedQuery::check(&sql).map_err(NoStatement::Refused)?;
    Ok(Statement { query, bindings, absent })
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
