//! Order and length of an answer.

use std::fmt::Write as _;

/// One column the rows are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// A column of the result.
    pub column: String,
    /// Greatest first.
    pub descending: bool,
}

/// Which rows, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    /// The order; empty: as they come.
    pub order: Vec<SortKey>,
    /// Rows to skip.
    pub offset: u32,
    /// Most rows; none: the caller cuts. One more is selected, which tells whether there is more.
    pub limit: Option<u32>,
}

impl Cut {
    /// Writes `ORDER BY`, `LIMIT` and `OFFSET`. Columns that are null on this server order nothing.
    pub fn write(&self, sql: &mut String, absent: &[String]) {
        let keys: Vec<String> = self
            .order
            .iter()
            .filter(|key| !absent.contains(&key.column))
            .map(|key| format!("`{}`{}", key.column, if key.descending { " DESC" } else { "" }))
            .collect();
        if !keys.is_empty() {
            let _ = write!(sql, "\nORDER BY {}", keys.join(", "));
        }
        if let Some(limit) = self.limit {
            let more = u64::from(limit) + 1;
            // The old spelling, which servers of every age read.
            let _ = match self.offset {
                0 => write!(sql, "\nLIMIT {more}"),
                offset => write!(sql, "\nLIMIT {offset}, {more}"),
            };
        }
    }
}
