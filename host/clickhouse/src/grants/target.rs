//! What a right is granted on.

use std::fmt;

use super::quoted;
use crate::tables::TableName;

/// A name, or the beginning of names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    /// The name, or how it begins.
    pub text: String,
    /// `name*`: every name that begins so.
    pub is_prefix: bool,
}

impl Pattern {
    /// Exactly this name.
    #[must_use]
    pub fn exact(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_prefix: false }
    }

    fn matches(&self, name: &str) -> bool {
        if self.is_prefix { name.starts_with(&self.text) } else { name == self.text }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", quoted(&self.text), if self.is_prefix { "*" } else { "" })
    }
}

/// What stands after `ON`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// `*.*`: every table.
    Everything,
    /// `*`: every source, table engine, user or named collection, as the right has it.
    AnyObject,
    /// `name`, `name*` or ``name(`expression`)``: some of those.
    Object {
        /// Its name.
        name: Pattern,
        /// The addresses it is limited to.
        filter: Option<String>,
    },
    /// `database.*` or `data*.*`.
    Database(Pattern),
    /// `database.table` or `database.tab*`.
    Table {
        /// The database.
        database: String,
        /// The table.
        table: Pattern,
    },
}

impl Target {
    /// One table.
    #[must_use]
    pub fn table(name: &TableName) -> Self {
        Self::Table { database: name.database().to_owned(), table: Pattern::exact(name.table()) }
    }

    /// How closely it fits a table, if it does: of two rules the closer one counts, as in ClickHouse's own tree of rights.
    pub(super) fn fits(&self, name: &TableName) -> Option<(u8, usize)> {
        let rank = |pattern: &Pattern, exact: u8| (exact - u8::from(pattern.is_prefix), pattern.text.len());
        match self {
            Self::Everything => Some((0, 0)),
            Self::Database(database) => database.matches(name.database()).then(|| rank(database, 2)),
            Self::Table { database, table } => {
                (database == name.database() && table.matches(name.table())).then(|| rank(table, 4))
            }
            Self::AnyObject | Self::Object { .. } => None,
        }
    }

    /// Whether it is the database itself or something in it, and nothing else.
    pub(super) fn is_within(&self, database: &str) -> bool {
        match self {
            Self::Database(pattern) => !pattern.is_prefix && pattern.text == database,
            Self::Table { database: own, .. } => own == database,
            Self::Everything | Self::AnyObject | Self::Object { .. } => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("*.*"),
            Self::AnyObject => f.write_str("*"),
            Self::Object { name, filter: None } => write!(f, "{name}"),
            Self::Object { name, filter: Some(filter) } => {
                write!(f, "{name}(`{}`)", filter.replace('\\', "\\\\").replace('`', "\\`"))
            }
            Self::Database(database) => write!(f, "{database}.*"),
            Self::Table { database, table } => write!(f, "{}.{table}", quoted(database)),
        }
    }
}
