//! Order and length of an answer.

use std::fmt::Write as _;

use chm_clickhouse::Arrangement;

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
    /// What each of several servers has to give, so that this cut of all of them together is right.
    #[must_use]
    pub fn of_each(&self) -> Self {
        Self { offset: 0, limit: self.limit.map(|limit| limit.saturating_add(self.offset)), order: self.order.clone() }
    }

    /// The same, for the select around what every replica answers.
    #[must_use]
    pub fn arrangement(&self, absent: &[String]) -> Arrangement {
        let there = self.order.iter().filter(|key| !absent.contains(&key.column));
        Arrangement {
            order_by: there.map(|key| (key.column.clone(), key.descending)).collect(),
            limit: self.limit.map(|limit| u64::from(limit) + 1),
            offset: u64::from(self.offset),
        }
    }

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
