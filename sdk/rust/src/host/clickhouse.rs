//! Reads ClickHouse, through the host's guard and limits.

use serde::de::DeserializeOwned;

use super::imports;
use crate::Failure;
pub use crate::bindings::imports::chm::plugin::clickhouse::{HostInfo, Query, QueryError, Rows, ServerError};
use crate::bindings::imports::chm::plugin::types::Binding;

/// Most rows a query asks for unless it says otherwise.
pub const DEFAULT_MAX_ROWS: u32 = 1000;

/// The servers this plugin may read.
#[must_use]
pub fn hosts() -> Vec<HostInfo> {
    imports::clickhouse::hosts()
}

/// Starts a query: `query("SELECT name FROM system.tables WHERE database = {db:String}").bind("db", name).rows(0)`.
#[must_use]
pub fn query(sql: impl Into<String>) -> Query {
    Query { sql: sql.into(), bindings: Vec::new(), max_rows: DEFAULT_MAX_ROWS }
}

impl Query {
    /// Gives the placeholder `{name:Type}` its value, which never becomes part of the statement's text.
    #[must_use]
    pub fn bind(mut self, name: &str, value: impl ToString) -> Self {
        self.bindings.push(Binding { name: name.into(), value: value.to_string() });
        self
    }

    /// Most rows wanted; the grant may allow fewer.
    #[must_use]
    pub fn max_rows(mut self, rows: u32) -> Self {
        self.max_rows = rows;
        self
    }

    /// Runs it on one host.
    ///
    /// # Errors
    /// [`QueryError`]: refused by the guard, not granted, an error of ClickHouse, or no answer in time.
    pub fn read(&self, host: u32) -> Result<Rows, QueryError> {
        imports::clickhouse::read(host, self)
    }

    /// Runs it on one host and reads each row into `T`, whose fields are the columns.
    ///
    /// # Errors
    /// What [`Query::read`] answers, as a [`Failure`]; and [`Failure::Internal`] when the rows do not fit `T`.
    pub fn rows<T: DeserializeOwned>(&self, host: u32) -> Result<Vec<T>, Failure> {
        self.read(host)?.parse()
    }
}

impl Rows {
    /// Reads each row into `T`, whose fields are the columns.
    ///
    /// # Errors
    /// [`Failure::Internal`] when the rows do not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<Vec<T>, Failure> {
        serde_json::from_slice(&self.json)
            .map_err(|error| Failure::internal(format!("the rows do not have the expected columns: {error}")))
    }
}

/// ClickHouse's codes for things that do not exist: unknown table, unknown database.
const UNKNOWN: [u32; 2] = [60, 81];
/// ClickHouse's codes for things its own user may not do: readonly, access denied, required password.
const FORBIDDEN: [u32; 3] = [164, 497, 516];
/// ClickHouse's codes for limits and outages: rows, time, network, memory, connections, cancelled, too many queries.
const BUSY: [u32; 9] = [158, 159, 202, 209, 210, 241, 242, 279, 394];

impl QueryError {
    /// As a failure, for a statement that the caller wrote: what ClickHouse does not understand is the caller's mistake.
    #[must_use]
    pub fn of_callers_statement(self) -> Failure {
        match self.into() {
            Failure::Internal(text) => Failure::InvalidInput(text),
            other => other,
        }
    }
}

/// For a statement that the plugin wrote: what ClickHouse does not understand is the plugin's mistake.
impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Refused(reason) => Self::InvalidInput(reason),
            QueryError::Denied(reason) => Self::Denied(reason),
            QueryError::Unavailable(reason) => Self::Unavailable(reason),
            QueryError::Server(ServerError { code, message }) => {
                let text = format!("ClickHouse answered with error {code}: {message}");
                match code {
                    _ if UNKNOWN.contains(&code) => Self::NotFound(text),
                    _ if FORBIDDEN.contains(&code) => Self::Denied(text),
                    _ if BUSY.contains(&code) => Self::Unavailable(text),
                    _ => Self::Internal(text),
                }
            }
        }
    }
}
