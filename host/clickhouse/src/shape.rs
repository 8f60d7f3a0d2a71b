//! What a server has in its database `system`: every table and column that the host's user may see, and the version.
//!
//! One statement asks for all of it, as panels name hundreds of columns. It is written so that every server since 18.16
//! answers it, also to a user whose profile has `readonly = 1`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::absence::Reasons;
use crate::error::ReadError;
use crate::host::Host;
use crate::version::ServerVersion;

/// How long a shape is believed.
pub(crate) const SHAPE_AGE: Duration = Duration::from_secs(300);
/// Limit of the question.
const LIMIT: Duration = Duration::from_secs(20);
/// The database it is about.
const SYSTEM: &str = "system";

/// A table may have no column that the user sees, so tables are asked for too. The row of the table `''` has the version.
const PROBE: &str = "SELECT table, groupArray(name) AS names FROM (\
     SELECT table, name FROM system.columns WHERE database = 'system' \
     UNION ALL SELECT name AS table, '' AS name FROM system.tables WHERE database = 'system' \
     UNION ALL SELECT '' AS table, version() AS name) GROUP BY table";

#[derive(Deserialize)]
struct Found {
    table: String,
    names: Vec<String>,
}

/// Tables and columns of one server's database `system`, as the host's user sees them, and its version.
#[derive(Debug, Clone)]
pub struct ServerShape {
    version: ServerVersion,
    tables: BTreeMap<String, BTreeSet<String>>,
    asked: Instant,
    /// Why the rest is missing, as far as somebody wanted to know. Outlives the shape.
    pub(crate) reasons: Arc<Reasons>,
}

impl ServerShape {
    fn from_rows(rows: Vec<Found>, reasons: Arc<Reasons>) -> Option<Self> {
        let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in rows {
            tables.entry(row.table).or_default().extend(row.names.into_iter().filter(|name| !name.is_empty()));
        }
        let version = tables.remove("").and_then(|names| ServerVersion::parse(names.first()?))?;
        Some(Self { version, tables, asked: Instant::now(), reasons })
    }

    /// The server's version.
    #[must_use]
    pub fn version(&self) -> &ServerVersion {
        &self.version
    }

    /// How long ago the server was asked. Log tables appear at their first entry, so "not there" grows old faster than the rest.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.asked.elapsed()
    }

    /// Whether the user sees this table. Only `system` is known; nothing else is ever there.
    #[must_use]
    pub fn has_table(&self, database: &str, table: &str) -> bool {
        self.columns(database, table).is_some()
    }

    /// Whether the user sees this column. Columns of a nested structure are named whole: `ProfileEvents.Names`.
    #[must_use]
    pub fn has_column(&self, database: &str, table: &str, column: &str) -> bool {
        self.columns(database, table).is_some_and(|columns| columns.contains(column))
    }

    /// The columns the user sees; nothing when there is no such table.
    #[must_use]
    pub fn columns(&self, database: &str, table: &str) -> Option<&BTreeSet<String>> {
        (database == SYSTEM).then(|| self.tables.get(table)).flatten()
    }

    /// The names of all tables.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// What a log table was called before the server changed its columns: `query_log_0`, `query_log_1`, … in this order, which is
    /// also that of their age.
    #[must_use]
    pub fn predecessors(&self, table: &str) -> Vec<&str> {
        let number = |name: &str| {
            let digits = name.strip_prefix(table)?.strip_prefix('_')?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten()
        };
        let mut found: Vec<(u32, &str)> =
            self.tables().filter_map(|name| number(name).map(|number| (number, name))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, name)| name).collect()
    }
}

/// What is known of a server's shape, and since when.
pub(crate) enum KnownShape {
    Nothing,
    Shape(Arc<ServerShape>),
    Failure(ReadError, Instant),
}

impl Host {
    /// What the server has, remembered for 5 minutes. Callers that come while it is asked wait for the one answer, also when it is
    /// an error: a server that cannot be asked has no shape.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn shape(&self) -> Result<Arc<ServerShape>, ReadError> {
        self.shape_younger_than(SHAPE_AGE).await
    }

    /// As [`Host::shape`], asked again when what is known is older than `age`: for callers that miss something.
    ///
    /// # Errors
    /// As [`Host::shape`].
    pub async fn shape_younger_than(&self, age: Duration) -> Result<Arc<ServerShape>, ReadError> {
        let came = Instant::now();
        let mut known = self.shape.lock().await;
        match &*known {
            KnownShape::Shape(shape) if shape.asked >= came || shape.age() < age => return Ok(Arc::clone(shape)),
            KnownShape::Failure(error, failed) if *failed >= came => return Err(error.clone()),
            _ => {}
        }
        let reasons = match &*known {
            KnownShape::Shape(shape) => Arc::clone(&shape.reasons),
            _ => Arc::default(),
        };
        let asked = self.ask::<Found>(PROBE, Vec::new(), LIMIT).await;
        let shape = asked.and_then(|rows| ServerShape::from_rows(rows, reasons).ok_or(ReadError::Broken).map(Arc::new));
        *known = match &shape {
            Ok(shape) => KnownShape::Shape(Arc::clone(shape)),
            Err(error) => KnownShape::Failure(error.clone(), Instant::now()),
        };
        shape
    }

    /// Forgets the shape: the next caller asks.
    pub async fn forget_shape(&self) {
        *self.shape.lock().await = KnownShape::Nothing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(rows: &[(&str, &[&str])]) -> Option<ServerShape> {
        let found = |(table, names): &(&str, &[&str])| Found {
            table: (*table).to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        ServerShape::from_rows(rows.iter().map(found).collect(), Arc::default())
    }

    #[test]
    fn tables_and_columns_are_told_apart_from_what_is_not_there() {
        let shape = shape(&[("", &["18.16.1"]), ("parts", &["", "rows", "name"]), ("empty", &[""])]).unwrap();
        assert_eq!(shape.version().as_str(), "18.16.1");
        assert!(shape.has_table("system", "parts") && shape.has_table("system", "empty"));
        assert!(!shape.has_table("system", "disks") && !shape.has_table("other", "parts"));
        assert!(shape.has_column("system", "parts", "rows") && !shape.has_column("system", "parts", "row"));
        assert!(!shape.has_column("system", "empty", "") && !shape.has_table("system", ""));
    }

    #[test]
    fn predecessors_are_those_with_a_number_in_the_order_of_numbers() {
        let tables = ["query_log", "query_log_10", "query_log_2", "query_log_", "query_log_x", "query_log_1x", "query"];
        let mut rows: Vec<(&str, &[&str])> = tables.iter().map(|table| (*table, &[][..])).collect();
        rows.push(("", &["26.7.2.1"]));
        let shape = shape(&rows).unwrap();
        assert_eq!(shape.predecessors("query_log"), ["query_log_2", "query_log_10"]);
        assert!(shape.predecessors("part_log").is_empty());
    }

    #[test]
    fn an_answer_without_a_version_is_no_shape() {
        assert!(shape(&[("parts", &["rows"])]).is_none());
        assert!(shape(&[("", &["not a version"])]).is_none());
    }
}
