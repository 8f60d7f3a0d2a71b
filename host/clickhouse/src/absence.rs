//! Why something that is read is not there: three cases an operator can do something about, in words, and the rest.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::ReadError;
use crate::grants::{Statement, Target, quoted};
use crate::host::Host;
use crate::shape::SHAPE_AGE;
use crate::system_tables::{self, SystemTable};
use crate::tables::TableName;
use crate::version::ServerVersion;

/// Limit of one question.
const LIMIT: Duration = Duration::from_secs(10);
const SYSTEM: &str = "system";
/// How many reasons are remembered.
const REASONS: usize = 500;

/// Why a table or column cannot be read. Its text is a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absence {
    /// The host's user may not read it.
    NotGranted {
        /// The table, or `database.table.column`.
        what: String,
        /// What an administrator runs.
        grant: String,
    },
    /// The server is not configured to keep it.
    NotEnabled {
        /// The table.
        what: String,
        /// What an administrator writes into the server's configuration.
        how: &'static str,
        /// When it appears after that.
        appears: &'static str,
    },
    /// The server is too old for it, too new, or never had it.
    NotInThisVersion {
        /// The table, or `database.table.column`.
        what: String,
        /// The server's version.
        version: ServerVersion,
        /// The year of the first release with it, as releases are numbered, where that is known: 21 of 21.9.
        since: Option<u32>,
    },
}

impl Absence {
    /// A stable word: `not_granted`, `not_enabled` or `not_in_this_version`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotGranted { .. } => "not_granted",
            Self::NotEnabled { .. } => "not_enabled",
            Self::NotInThisVersion { .. } => "not_in_this_version",
        }
    }

    /// What is not there.
    #[must_use]
    pub fn what(&self) -> &str {
        match self {
            Self::NotGranted { what, .. } | Self::NotEnabled { what, .. } | Self::NotInThisVersion { what, .. } => what,
        }
    }

    /// The statement or configuration that changes it, as it is written; nothing for a version.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::NotGranted { grant, .. } => Some(grant),
            Self::NotEnabled { how, .. } => Some(how),
            Self::NotInThisVersion { .. } => None,
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted { what, grant } => {
                write!(f, "the ClickHouse user may not read {what}; an administrator grants it with: {grant}")
            }
            Self::NotEnabled { what, how, appears } => {
                write!(f, "{what} does not exist on this server; it is kept with {how}, and appears {appears}")
            }
            Self::NotInThisVersion { what, version, since: Some(year) } if version.release().0 < *year => {
                write!(f, "{what} came with ClickHouse {year}; this server has {version}")
            }
            Self::NotInThisVersion { what, version, .. } => {
                write!(f, "{what} does not exist on this server (ClickHouse {version})")
            }
        }
    }
}

/// Why tables and columns are missing, since when that is known.
///
/// To ask why is to run a statement that fails, and each failure stands in the server's query log and its errors: a page that is
/// loaded again and again must not fill them. What the server shows by now is never looked up here.
#[derive(Debug, Default)]
pub(crate) struct Reasons(Mutex<HashMap<Missing, (Absence, Instant)>>);

/// A table, or a column of it.
type Missing = (TableName, Option<String>);

impl Reasons {
    fn get(&self, table: &TableName, column: Option<&str>) -> Option<Absence> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (absence, since) = known.get(&(table.clone(), column.map(str::to_owned)))?;
        (since.elapsed() < SHAPE_AGE).then(|| absence.clone())
    }

    fn put(&self, table: &TableName, column: Option<&str>, absence: &Absence) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REASONS {
            known.retain(|_, (_, since)| since.elapsed() < SHAPE_AGE);
        }
        if known.len() < REASONS {
            known.insert((table.clone(), column.map(str::to_owned)), (absence.clone(), Instant::now()));
        }
    }
}

impl Host {
    /// Why a table cannot be read; nothing when it can, now. What the server does not show is asked for once in 5 minutes.
    ///
    /// # Errors
    /// When the server cannot be asked: that is no absence.
    pub async fn why_absent(&self, table: &TableName) -> Result<Option<Absence>, ReadError> {
        self.why(table, None).await
    }

    /// Why a column of a table that can be read cannot; nothing when it can, now.
    ///
    /// # Errors
    /// As [`Host::why_absent`].
    pub async fn why_column_absent(&self, table: &TableName, column: &str) -> Result<Option<Absence>, ReadError> {
        self.why(table, Some(column)).await
    }

    async fn why(&self, table: &TableName, column: Option<&str>) -> Result<Option<Absence>, ReadError> {
        let shape = self.shape().await?;
        let (database, name) = (table.database(), table.table());
        let is_shown = database != SYSTEM
            || column
                .map_or_else(|| shape.has_table(database, name), |column| shape.has_column(database, name, column));
        if !is_shown && let Some(absence) = shape.reasons.get(table, column) {
            return Ok(Some(absence));
        }
        let absence = self.ask_why(table, column, is_shown).await?;
        if let Some(absence) = absence.as_ref().filter(|_| !is_shown) {
            shape.reasons.put(table, column, absence);
        }
        Ok(absence)
    }

    async fn ask_why(
        &self,
        table: &TableName,
        column: Option<&str>,
        is_shown: bool,
    ) -> Result<Option<Absence>, ReadError> {
        // Parts of a nested structure are quoted one by one; a column with a dot in its name is found that way too.
        let name: Option<Vec<_>> = column.map(|column| column.split('.').map(quoted).collect());
        let name = name.map_or_else(|| "1".to_owned(), |parts| parts.join("."));
        let sql = format!("SELECT {name} AS one FROM {} LIMIT 0", Target::table(table));
        match self.ask::<serde::de::IgnoredAny>(&sql, Vec::new(), LIMIT).await {
            Ok(_) if is_shown || column.is_some() => Ok(None),
            // Everybody may read `system.one` and its like, and yet they are shown only to those who were granted them. A log that
            // came just now is another matter.
            Ok(_) => {
                let shape = self.shape_younger_than(Duration::ZERO).await?;
                let shown = shape.has_table(table.database(), table.table());
                Ok((!shown).then(|| self.not_granted(table.to_string(), table)))
            }
            Err(error) => self.reason(&error, table, column).await?.map_or(Err(error), |absence| Ok(Some(absence))),
        }
    }

    /// What a failed read says about a table: the reason, when the failure is an absence at all.
    async fn reason(
        &self,
        error: &ReadError,
        table: &TableName,
        column: Option<&str>,
    ) -> Result<Option<Absence>, ReadError> {
        let what = column.map_or_else(|| table.to_string(), |column| format!("{table}.{column}"));
        match error.code() {
            Some(497) => Ok(Some(match self.grant_for(error) {
                Some(grant) => Absence::NotGranted { what, grant },
                None => self.not_granted(what, table),
            })),
            // 16 and 47 speak of a column; as 18.16 answers for a table that is not there with 60, they never speak of the table.
            Some(60 | 81) if column.is_none() => {
                let version = self.server_version().await?;
                Ok(Some(missing_table(table, version)))
            }
            Some(8 | 10 | 16 | 47) if column.is_some() => {
                let version = self.server_version().await?;
                Ok(Some(Absence::NotInThisVersion { what, version, since: None }))
            }
            _ => Ok(None),
        }
    }

    fn not_granted(&self, what: String, table: &TableName) -> Absence {
        let grant = format!("GRANT SELECT ON {} TO {}", Target::table(table), quoted(&self.config().user));
        Absence::NotGranted { what, grant }
    }

    /// The statement with which an administrator allows what ClickHouse refused for lack of a right (code 497). It is taken from
    /// ClickHouse's own words, and nothing when these are not understood.
    #[must_use]
    pub fn grant_for(&self, error: &ReadError) -> Option<String> {
        let ReadError::Server { code: 497, message } = error else { return None };
        grant_in(message, &self.config().user)
    }
}

/// A table that is not there although the user may see it.
fn missing_table(table: &TableName, version: ServerVersion) -> Absence {
    let what = table.to_string();
    let known = (table.database() == SYSTEM).then(|| system_tables::find(table.table())).flatten();
    match known {
        Some(SystemTable { since, .. }) if version.release().0 < *since => {
            Absence::NotInThisVersion { what, version, since: Some(*since) }
        }
        Some(SystemTable { enabled_by: Some(how), appears, .. }) => Absence::NotEnabled { what, how, appears },
        Some(SystemTable { since, .. }) => Absence::NotInThisVersion { what, version, since: Some(*since) },
        None => Absence::NotInThisVersion { what, version, since: None },
    }
}

/// `… necessary to have the grant SELECT(a, b) ON system.parts. (ACCESS_DENIED)` → the statement that grants it. Columns are left out:
/// who may read some columns of a table of `system` may read the others.
fn grant_in(message: &str, user: &str) -> Option<String> {
    let (_, wanted) = message.split_once("grant ")?;
    let wanted = wanted.split(". (").next()?.trim_end_matches('.');
    let (right, target) = match wanted.split_once(" for at least one column on ") {
        Some(split) => split,
        None => wanted.rsplit_once(" ON ")?,
    };
    let right = without_columns(right)?;
    let rights: Vec<&str> = right.split(", ").map(str::trim).collect();
    let line = format!("GRANT {} ON {} TO {}", rights.join(", "), target.trim(), quoted(user));
    // Only what is understood as a whole is passed on as a statement to run.
    matches!(Statement::parse(&line), Ok(Statement::Rights { .. })).then_some(line)
}

/// `SELECT(a, b), SHOW` without what is in brackets.
fn without_columns(right: &str) -> Option<String> {
    let mut kept = String::new();
    let mut rest = right;
    while let Some((before, after)) = rest.split_once('(') {
        kept.push_str(before);
        rest = after.split_once(')')?.1;
    }
    kept.push_str(rest);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clickhouses_own_words_become_the_statement_to_run() {
        for (message, line) in [
            (
                "few: Not enough privileges. To execute this query, it's necessary to have the grant SELECT for at least one column on system.query_log. (ACCESS_DENIED)",
                Some("GRANT SELECT ON system.query_log TO chm"),
            ),
            (
                "few: Not enough privileges. To execute this query, it's necessary to have the grant SELECT(type, `a b`) ON system.query_log. (Missing permissions: SELECT(type) ON system.query_log). (ACCESS_DENIED)",
                Some("GRANT SELECT ON system.query_log TO chm"),
            ),
            (
                "Not enough privileges. To execute this query it's necessary to have grant SHOW USERS ON *.*",
                Some("GRANT SHOW USERS ON *.* TO chm"),
            ),
            (
                "chm: Not enough privileges. To execute this query, it's necessary to have the grant CREATE TEMPORARY TABLE, READ ON REMOTE. (ACCESS_DENIED)",
                Some("GRANT CREATE TEMPORARY TABLE, READ ON REMOTE TO chm"),
            ),
            ("Not enough privileges; grant x; DROP TABLE y ON z", None),
            ("Not enough privileges", None),
        ] {
            assert_eq!(grant_in(message, "chm").as_deref(), line, "{message}");
        }
    }

    #[test]
    fn a_missing_table_is_too_new_not_enabled_or_not_there() {
        let old = || ServerVersion::parse("18.16.1").unwrap();
        let new = || ServerVersion::parse("26.7.2.1").unwrap();
        let table = |name: &str| TableName::new("system", name).unwrap();
        for (name, version, kind, part) in [
            ("text_log", old(), "not_in_this_version", "came with ClickHouse 19; this server has 18.16.1"),
            ("text_log", new(), "not_enabled", "<text_log>"),
            ("query_log", old(), "not_enabled", "<query_log>"),
            ("errors", old(), "not_in_this_version", "came with ClickHouse 20"),
            ("no_such_table", new(), "not_in_this_version", "does not exist on this server (ClickHouse 26.7.2.1)"),
        ] {
            let absence = missing_table(&table(name), version);
            assert_eq!(absence.kind(), kind, "{name}");
            assert!(absence.to_string().contains(part), "{absence}");
        }
        assert_eq!(missing_table(&TableName::new("shop", "query_log").unwrap(), new()).kind(), "not_in_this_version");
    }
}
