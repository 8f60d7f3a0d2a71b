//! What a panel selects: its columns, tables and statements, of which one is written for each server.

use std::collections::BTreeSet;

use chm_clickhouse::{REPLICA, ServerVersion, TableName};
use chm_sandbox::bindings::panels;

use super::facts::Imagined;
use super::statement::{NoStatement, Wishes, described};

/// Columns that the host adds where several servers answer.
const LABELS: [&str; 3] = ["hostId", "hostName", REPLICA];

/// A release of ClickHouse: year, and number in that year.
pub type Release = (u32, u32);

/// What a panel selects.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Columns, as they are selected.
    pub columns: Vec<SelectedColumn>,
    /// Tables it cannot do without.
    pub requires: Vec<Requirement>,
    /// Its statements; none where a guest computes the query or brings the rows.
    pub variants: Vec<Variant>,
    /// Every table that a statement of it may read.
    pub reads: BTreeSet<TableName>,
}

/// A column, as it is selected.
#[derive(Debug, Clone)]
pub struct SelectedColumn {
    /// Its name in the result.
    pub name: String,
    /// The expression; absent: the column of that name.
    pub sql: Option<String>,
    /// Columns the expression reads, which not every server has.
    pub needs: Vec<(TableName, String)>,
    /// What is selected where one of them is missing; absent: null.
    pub otherwise: Option<String>,
    /// It holds SQL that people wrote.
    pub is_statement: bool,
}

/// A table that a statement reads.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The table.
    pub table: TableName,
    /// Those of its columns without which the statement makes no sense.
    pub columns: Vec<String>,
    /// Read together with its predecessors.
    pub family: bool,
}

/// One statement for a range of servers.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Oldest release it works on.
    pub since: Option<Release>,
    /// What it needs beside what the panel requires.
    pub needs: Vec<Requirement>,
    /// With `$columns` and `$<table>`.
    pub sql: String,
}

impl Selection {
    /// Checks what a panel's description says of it.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn new(described: &panels::Panel) -> Result<Self, String> {
        Self::of(&described.columns, &described.requires, &described.queries)
    }

    /// As [`Selection::new`], of the parts that matter.
    pub(super) fn of(
        columns: &[panels::Column],
        requires: &[panels::Requirement],
        queries: &[panels::VariantQuery],
    ) -> Result<Self, String> {
        let requires = requirements(requires)?;
        let mut selection = Self {
            columns: columns.iter().map(|declared| column(declared, &requires)).collect::<Result<_, _>>()?,
            variants: queries.iter().map(variant).collect::<Result<_, _>>()?,
            reads: requires.iter().map(|needed| needed.table.clone()).collect(),
            requires,
        };
        let read = selection.check_statements()?;
        selection.reads.extend(read);
        Ok(selection)
    }

    /// Every way the statements can be written passes the guard, or the panel is not taken. Returns the tables they read.
    fn check_statements(&self) -> Result<BTreeSet<TableName>, String> {
        let mut read = BTreeSet::new();
        for variant in &self.variants {
            let alone = Self {
                variants: vec![Variant { since: None, needs: Vec::new(), sql: variant.sql.clone() }],
                requires: self.requires.iter().map(|it| Requirement { columns: Vec::new(), ..it.clone() }).collect(),
                ..self.clone()
            };
            for (columns, predecessors) in [(true, false), (true, true), (false, false)] {
                match described(&alone, &Imagined { columns, predecessors }, &Wishes::default()) {
                    Err(NoStatement::Refused(refusal)) => {
                        return Err(format!("the guard refuses its query: {refusal}"));
                    }
                    Ok(statement) => read.extend(statement.query.tables()),
                    Err(NoStatement::Lack(_) | NoStatement::Filter { .. }) => {}
                }
            }
        }
        Ok(read)
    }

    /// The oldest release any statement works on.
    #[must_use]
    pub fn oldest_release(&self) -> Release {
        self.variants.iter().map(|variant| variant.since.unwrap_or_default()).min().unwrap_or_default()
    }

    /// All tables it names, with the columns it names of them.
    pub fn named_columns(&self) -> impl Iterator<Item = (&TableName, Option<&str>)> {
        let needed = self.requires.iter().chain(self.variants.iter().flat_map(|variant| &variant.needs));
        let of_columns = self.columns.iter().flat_map(|column| &column.needs);
        needed
            .flat_map(|it| {
                std::iter::once((&it.table, None))
                    .chain(it.columns.iter().map(|column| (&it.table, Some(column.as_str()))))
            })
            .chain(of_columns.map(|(table, column)| (table, Some(column.as_str()))))
    }
}

fn requirements(declared: &[panels::Requirement]) -> Result<Vec<Requirement>, String> {
    let read = |needed: &panels::Requirement| {
        let table = TableName::parse(&needed.table).map_err(|error| error.to_string())?;
        if needed.family && !is_word(table.table()) {
            return Err(format!(
                "`{}`: only a table with a plain name can be read with its predecessors",
                needed.table
            ));
        }
        Ok(Requirement { table, columns: needed.columns.clone(), family: needed.family })
    };
    declared.iter().map(read).collect()
}

fn variant(declared: &panels::VariantQuery) -> Result<Variant, String> {
    let release = |text: &String| {
        let version = ServerVersion::parse(text);
        version
            .map(|it| it.release())
            .ok_or_else(|| format!("`{text}` is no ClickHouse release; expected one such as 24.1"))
    };
    let since = declared.since.as_ref().map(release).transpose()?;
    Ok(Variant { since, needs: requirements(&declared.needs)?, sql: declared.sql.clone() })
}

fn column(declared: &panels::Column, requires: &[Requirement]) -> Result<SelectedColumn, String> {
    let name = declared.name.clone();
    if !is_word(&name) {
        return Err(format!("column `{name}`: letters, digits and underscores only, a letter first"));
    }
    if LABELS.contains(&name.as_str()) {
        return Err(format!("column name `{name}` is the host's own"));
    }
    let itself = (declared.sql.is_none() && declared.needs.is_empty() && !requires.is_empty()).then(|| name.clone());
    let needs = declared
        .needs
        .iter()
        .chain(&itself)
        .map(|needed| {
            let full =
                requires.iter().find_map(|it| Some((&it.table, needed.strip_prefix(&format!("{}.", it.table))?)));
            match (full, requires.first()) {
                (Some((table, column)), _) => Ok((table.clone(), column.to_owned())),
                (None, _) if needed.matches('.').count() >= 2 => {
                    let mut parts = needed.splitn(3, '.');
                    let mut part = || parts.next().unwrap_or_default();
                    let table = TableName::new(part(), part()).map_err(|error| error.to_string())?;
                    Ok((table, part().to_owned()))
                }
                (None, Some(first)) => Ok((first.table.clone(), needed.clone())),
                (None, None) => Err(format!("column `{name}` needs `{needed}`, but the panel requires no table")),
            }
        })
        .collect::<Result<_, String>>()?;
    Ok(SelectedColumn {
        name,
        sql: declared.sql.clone(),
        needs,
        otherwise: declared.otherwise.clone(),
        is_statement: declared.kind == panels::ColumnKind::Statement,
    })
}

fn is_word(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
