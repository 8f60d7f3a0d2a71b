//! What one server has of what a panel names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chm_clickhouse::{Host, Presence, ReadError, ServerShape, TableName};

use super::selection::{Release, Selection};

/// How old an answer may be in which something is missing.
const MISSING_AGE: Duration = Duration::from_secs(10);
const SYSTEM: &str = "system";

/// Answers the questions that decide how a panel's statement is written for a server.
pub trait Facts {
    /// The server's release, where it is known.
    fn release(&self) -> Option<Release>;
    /// Whether it has the table, and the host's user may see it.
    fn has_table(&self, table: &TableName) -> bool;
    /// Whether the table has the column.
    fn has_column(&self, table: &TableName, column: &str) -> bool;
    /// Whether predecessors of a log are there: `query_log_0` of `query_log`.
    fn has_predecessors(&self, table: &TableName) -> bool;
}

/// A server that has everything, or nothing. With them every way a statement can be written passes the guard when its plugin is
/// loaded, before anybody asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Imagined {
    /// Whether it has the columns that not every server has.
    pub columns: bool,
    /// Whether its logs have predecessors.
    pub predecessors: bool,
}

impl Facts for Imagined {
    fn release(&self) -> Option<Release> {
        None
    }

    fn has_table(&self, _: &TableName) -> bool {
        true
    }

    fn has_column(&self, _: &TableName, _: &str) -> bool {
        self.columns
    }

    fn has_predecessors(&self, _: &TableName) -> bool {
        self.predecessors
    }
}

/// A server that was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    system: Arc<ServerShape>,
    /// Tables of other databases, which only few panels read, with those of their columns that the panel names.
    others: BTreeMap<TableName, BTreeSet<String>>,
}

impl Asked {
    /// Asks a server about everything the panel names. What it said lately is not asked again, unless something would be missing:
    /// a log appears with its first entry.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn about(selection: &Selection, host: &Host) -> Result<Self, ReadError> {
        let mut asked = Self::with(selection, host, host.shape().await?).await;
        if selection.requires.iter().any(|needed| !asked.has_table(&needed.table)) {
            asked = Self::with(selection, host, host.shape_younger_than(MISSING_AGE).await?).await;
        }
        Ok(asked)
    }

    async fn with(selection: &Selection, host: &Host, system: Arc<ServerShape>) -> Self {
        let mut named: BTreeMap<TableName, Vec<&str>> = BTreeMap::new();
        for (table, column) in selection.named_columns().filter(|(table, _)| table.database() != SYSTEM) {
            named.entry(table.clone()).or_default().extend(column);
        }
        let mut others = BTreeMap::new();
        for (table, columns) in named {
            // What cannot be asked is taken for there: the statement itself will say.
            if host.tables_present(std::slice::from_ref(&table)).await.first() != Some(&Presence::Absent) {
                let presence = host.columns_present(&table, &columns).await;
                let there = columns.iter().zip(presence).filter(|(_, presence)| *presence != Presence::Absent);
                others.insert(table, there.map(|(column, _)| (*column).to_owned()).collect());
            }
        }
        Self { system, others }
    }

    /// What the server has, where that is all that was asked.
    #[must_use]
    pub fn shape_alone(&self) -> Option<&Arc<ServerShape>> {
        self.others.is_empty().then_some(&self.system)
    }

    /// The server's version as it writes it.
    #[must_use]
    pub fn version_text(&self) -> &str {
        self.system.version().as_str()
    }
}

impl Facts for Asked {
    fn release(&self) -> Option<Release> {
        Some(self.system.version().release())
    }

    fn has_table(&self, table: &TableName) -> bool {
        self.system.has_table(table.database(), table.table()) || self.others.contains_key(table)
    }

    fn has_column(&self, table: &TableName, column: &str) -> bool {
        self.system.has_column(table.database(), table.table(), column)
            || self.others.get(table).is_some_and(|columns| columns.contains(column))
    }

    fn has_predecessors(&self, table: &TableName) -> bool {
        table.database() == SYSTEM && !self.system.predecessors(table.table()).is_empty()
    }
}
