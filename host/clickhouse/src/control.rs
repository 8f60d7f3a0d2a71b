//! The few statements that change something. The host writes them itself, from checked identifiers (law 3).

use std::time::Duration;

use crate::error::ReadError;
use crate::grants::quoted;
use crate::host::{Host, collect_within};
use crate::tables::TableName;

/// How long the host waits for `KILL QUERY`, which only asks.
const KILL_PATIENCE: Duration = Duration::from_secs(10);
/// How long the host waits for `OPTIMIZE`. The server goes on when it is over: a merge may take hours.
const OPTIMIZE_PATIENCE: Duration = Duration::from_secs(20);
/// Every server knows it, and no line of it ends as an old error text does: the last column of the answer is the query's text,
/// and the client would take `))` and a line feed for an error.
const ANSWER: &str = "JSONEachRow";

/// The id of a running query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueryId(String);

/// Why an id is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a query id has 1 to 256 characters, none of them a quote, backslash or control character; take it from the list of running queries"
)]
pub struct QueryIdError;

impl QueryId {
    /// Checks `id`. Clients choose their ids freely; those with quotes or backslashes are refused rather than escaped.
    ///
    /// # Errors
    /// When it is empty, too long or contains such characters.
    pub fn new(id: impl Into<String>) -> Result<Self, QueryIdError> {
        let id = id.into();
        let good = |c: char| !c.is_control() && !matches!(c, '\'' | '"' | '`' | '\\');
        if id.is_empty() || id.chars().count() > 256 || !id.chars().all(good) {
            Err(QueryIdError)
        } else {
            Ok(Self(id))
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `KILL QUERY` of one query.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KillQuery<'a>(&'a QueryId);

impl KillQuery<'_> {
    fn sql(&self) -> String {
        format!("KILL QUERY WHERE query_id = '{}' ASYNC", self.0.0)
    }
}

/// `OPTIMIZE TABLE` of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OptimizeTable<'a>(&'a TableName);

impl OptimizeTable<'_> {
    fn sql(&self) -> String {
        format!("OPTIMIZE TABLE {}.{}", back_quoted(self.0.database()), back_quoted(self.0.table()))
    }
}

/// How far an `OPTIMIZE` came while the host waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optimized {
    /// It is over.
    Done,
    /// The server goes on with it.
    GoesOn,
}

/// A name in back quotes, as ClickHouse reads it back.
fn back_quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// Stops a query of the host's own that nobody waits for any more. It may have ended by itself, and a user who is read-only may not be
/// allowed to: then the query's own limits end it.
pub(crate) async fn stop_query(client: &clickhouse::Client, id: &QueryId) {
    if let Ok(cursor) = client.query_raw(&KillQuery(id).sql()).fetch_bytes(ANSWER) {
        let _ = collect_within(cursor, KILL_PATIENCE).await;
    }
}

impl Host {
    /// Asks the server to stop a query; how many it was told to stop (0: no such query).
    ///
    /// # Errors
    /// When the user may not, or the server cannot be asked.
    pub async fn kill_query(&self, id: &QueryId, log_comment: Option<&str>) -> Result<u32, ReadError> {
        let answer = self.control(&KillQuery(id).sql(), log_comment, KILL_PATIENCE).await?;
        Ok(u32::try_from(answer.iter().filter(|b| **b == b'\n').count()).unwrap_or(u32::MAX))
    }

    /// Asks the server to merge a table's parts now.
    ///
    /// # Errors
    /// When the user may not, there is no such table, or the server cannot be asked.
    pub async fn optimize_table(&self, table: &TableName, log_comment: Option<&str>) -> Result<Optimized, ReadError> {
        match self.control(&OptimizeTable(table).sql(), log_comment, OPTIMIZE_PATIENCE).await {
            Ok(_) => Ok(Optimized::Done),
            Err(ReadError::Deadline { .. }) => Ok(Optimized::GoesOn),
            Err(error) => Err(error),
        }
    }

    /// Whether the user's own profile says `readonly`: then no right lets it change anything.
    pub async fn is_read_only(&self) -> bool {
        self.profile().await.is_ok_and(|profile| matches!(profile.readonly(), Some("1" | "2")))
    }

    /// What lets the user stop the queries of others.
    #[must_use]
    pub fn grant_of_kill_query(&self) -> String {
        format!("GRANT KILL QUERY ON *.* TO {}", quoted(&self.config().user))
    }

    /// What lets the user optimise a table.
    #[must_use]
    pub fn grant_of_optimize_table(&self, table: &TableName) -> String {
        let (database, name) = (quoted(table.database()), quoted(table.table()));
        format!("GRANT OPTIMIZE ON {database}.{name} TO {}", quoted(&self.config().user))
    }

    /// Without a place among the host's queries: a full host is when one wants to kill.
    async fn control(&self, sql: &str, log_comment: Option<&str>, patience: Duration) -> Result<Vec<u8>, ReadError> {
        let mut request = self.client.query_raw(sql);
        // Old servers do not know the setting, and users who are read-only may not send it: their server then says why it refuses the
        // statement, not the setting.
        if let Some(comment) = log_comment
            && self.profile().await?.accepts("log_comment")
        {
            request = request.with_setting("log_comment", comment);
        }
        let cursor = request.fetch_bytes(ANSWER).map_err(|e| ReadError::from_client(&e))?;
        collect_within(cursor, patience).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_id_cannot_leave_its_quotes() {
        for bad in ["", "a'b", "a\\", "a\nb", "a\"b", "a`b", &"x".repeat(257)] {
            assert!(QueryId::new(bad).is_err(), "{bad}");
        }
        let id = QueryId::new("4f1c-Ä 7:x").unwrap();
        assert_eq!(KillQuery(&id).sql(), "KILL QUERY WHERE query_id = '4f1c-Ä 7:x' ASYNC");
    }

    #[test]
    fn a_table_name_cannot_leave_its_quotes() {
        let table = TableName::new("d`; DROP", "t\\`x").unwrap();
        assert_eq!(OptimizeTable(&table).sql(), r"OPTIMIZE TABLE `d\`; DROP`.`t\\\`x`");
        for (database, table) in [("", "t"), ("d", ""), ("d\n", "t")] {
            assert!(TableName::new(database, table).is_err());
        }
        assert_eq!(TableName::parse("a.b.c").unwrap(), TableName::new("a", "b.c").unwrap());
        assert!(TableName::parse("nodot").unwrap_err().to_string().contains("database.table"));
    }
}
