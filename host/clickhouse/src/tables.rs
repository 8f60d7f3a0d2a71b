//! Which tables and columns a server has: yes, no, or not known.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Mutex;

use serde::Deserialize;
use tokio::time::Instant;

use crate::error::ReadError;
use crate::host::{Host, PRESENCE_AGE, PRESENCE_ENTRIES};

/// A database and a table in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    database: String,
    table: String,
}

/// Why a name is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no table name: write database.table, each of 1 to 206 characters without control characters")]
pub struct TableNameError {
    given: String,
}

impl TableName {
    /// Takes any name ClickHouse takes, but no control characters.
    ///
    /// # Errors
    /// When a part is empty, too long for a file name, or contains control characters.
    pub fn new(database: impl Into<String>, table: impl Into<String>) -> Result<Self, TableNameError> {
        let (database, table) = (database.into(), table.into());
        let good = |part: &str| !part.is_empty() && part.len() <= 206 && !part.chars().any(char::is_control);
        if good(&database) && good(&table) {
            Ok(Self { database, table })
        } else {
            Err(TableNameError {
                given: format!("{database}.{table}").chars().filter(|c| !c.is_control()).take(100).collect(),
            })
        }
    }

    /// Reads `database.table`; the first dot separates.
    ///
    /// # Errors
    /// As [`TableName::new`].
    pub fn parse(name: &str) -> Result<Self, TableNameError> {
        let (database, table) = name.split_once('.').unwrap_or(("", name));
        Self::new(database, table)
    }

    /// Its database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Its name in the database.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

/// A column of a table.
pub type ColumnName = (TableName, String);

/// Whether something exists. A server that cannot be asked leaves it unknown: "not there" and "server down" are two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It exists, and the user may see it.
    Present,
    /// It does not, or the user may not see it.
    Absent,
    /// The server could not be asked.
    Unknown,
}

#[derive(Deserialize)]
struct Found {
    database: String,
    table: String,
    #[serde(default)]
    name: String,
}

impl Host {
    /// Whether each of `tables` exists, in their order. Remembered for 5 minutes; what is unknown is asked again.
    pub async fn tables_present(&self, tables: &[TableName]) -> Vec<Presence> {
        let missing = not_remembered(&self.tables, tables);
        if !missing.is_empty() {
            let sql = "SELECT database, name AS table FROM system.tables WHERE ";
            if let Ok(found) =
                self.look_up(sql, &missing, |t| [("database", t.database.clone()), ("name", t.table.clone())]).await
            {
                let is_there = |t: &TableName| found.iter().any(|f| f.database == t.database && f.table == t.table);
                remember(&self.tables, missing, is_there);
            }
        }
        recall(&self.tables, tables)
    }

    /// Whether each of `columns` of `table` exists, in their order. Remembered as tables are.
    pub async fn columns_present(&self, table: &TableName, columns: &[&str]) -> Vec<Presence> {
        let wanted: Vec<ColumnName> = columns.iter().map(|c| (table.clone(), (*c).to_owned())).collect();
        let missing = not_remembered(&self.columns, &wanted);
        if !missing.is_empty() {
            let sql = "SELECT database, table, name FROM system.columns WHERE ";
            let parts = |(t, c): &ColumnName| {
                [("database", t.database.clone()), ("table", t.table.clone()), ("name", c.clone())]
            };
            if let Ok(found) = self.look_up(sql, &missing, parts).await {
                let is_there = |(t, c): &ColumnName| {
                    found.iter().any(|f| f.database == t.database && f.table == t.table && f.name == *c)
                };
                remember(&self.columns, missing, is_there);
            }
        }
        recall(&self.columns, &wanted)
    }

    async fn look_up<K, const N: usize>(
        &self,
        sql: &str,
        keys: &[K],
        parts: impl Fn(&K) -> [(&'static str, String); N],
    ) -> Result<Vec<Found>, ReadError> {
        let mut parameters = Vec::new();
        let mut conditions = Vec::new();
        for key in keys {
            let condition: Vec<String> = parts(key)
                .into_iter()
                .map(|(column, value)| {
                    let parameter = format!("p{}", parameters.len());
                    let equal = format!("{column} = {{{parameter}:String}}");
                    parameters.push((parameter, value));
                    equal
                })
                .collect();
            conditions.push(format!("({})", condition.join(" AND ")));
        }
        self.ask(&format!("{sql}{}", conditions.join(" OR ")), parameters, std::time::Duration::from_secs(10)).await
    }
}

type Memory<K> = Mutex<HashMap<K, (Presence, Instant)>>;

fn locked<K>(memory: &Memory<K>) -> std::sync::MutexGuard<'_, HashMap<K, (Presence, Instant)>> {
    // A poisoned memory of facts is still a memory of facts.
    memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn not_remembered<K: Clone + Eq + Hash>(memory: &Memory<K>, keys: &[K]) -> Vec<K> {
    let memory = locked(memory);
    let fresh = |key: &K| memory.get(key).is_some_and(|(_, asked)| asked.elapsed() < PRESENCE_AGE);
    keys.iter().filter(|key| !fresh(key)).cloned().collect()
}

fn remember<K: Eq + Hash>(memory: &Memory<K>, keys: Vec<K>, is_there: impl Fn(&K) -> bool) {
    let mut memory = locked(memory);
    if memory.len() + keys.len() > PRESENCE_ENTRIES {
        memory.clear();
    }
    let now = Instant::now();
    for key in keys {
        let presence = if is_there(&key) { Presence::Present } else { Presence::Absent };
        memory.insert(key, (presence, now));
    }
}

fn recall<K: Eq + Hash>(memory: &Memory<K>, keys: &[K]) -> Vec<Presence> {
    let memory = locked(memory);
    let fresh =
        |key: &K| memory.get(key).filter(|(_, asked)| asked.elapsed() < PRESENCE_AGE).map(|(presence, _)| *presence);
    keys.iter().map(|key| fresh(key).unwrap_or(Presence::Unknown)).collect()
}
