//! A table that a panel reads.

use super::Requirement;

impl Requirement {
    /// A table, with its database: `system.parts`.
    #[must_use]
    pub fn table(table: &str) -> Self {
        Self { table: table.into(), columns: Vec::new(), family: false }
    }

    /// Those of its columns without which the panel makes no sense.
    #[must_use]
    pub fn columns(mut self, columns: &[&str]) -> Self {
        self.columns.extend(columns.iter().map(|&column| column.into()));
        self
    }

    /// Its predecessors are read, too: an upgrade that changes a log's columns leaves the old one as `<log>_0`. The statement
    /// names it `$<log>`.
    #[must_use]
    pub fn family(mut self) -> Self {
        self.family = true;
        self
    }
}

impl From<&str> for Requirement {
    fn from(table: &str) -> Self {
        Self::table(table)
    }
}
