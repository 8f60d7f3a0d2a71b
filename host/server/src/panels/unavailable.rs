//! Why a panel cannot be shown on a server, in words an operator can act on.

use chm_clickhouse::{Absence, Host, ReadError, TableName};

use super::statement::Lack;
use crate::api::Unavailable;
use crate::plugins::Panel;

/// The server's version is too old for every statement of the panel.
const NOT_IN_THIS_VERSION: &str = "not_in_this_version";

/// Nobody set it up.
const NOT_ENABLED: &str = "not_enabled";

/// Tables that a server has whether or not it has Keeper; reading them is what fails.
const BEHIND_KEEPER: [&str; 4] = ["zookeeper", "zookeeper_info", "zookeeper_connection", "distributed_ddl_queue"];
/// How it fails, by ClickHouse's code: no such section in the configuration, and any failure of Keeper.
const WITHOUT_KEEPER: [(u32, &str); 2] = [(139, "has no Keeper"), (999, "does not reach its Keeper")];

/// A column that this server's tables do not have.
pub fn no_column(column: &str, version: &str) -> Unavailable {
    Unavailable::new(NOT_IN_THIS_VERSION, format!("this server (ClickHouse {version}) has no `{column}`"), Vec::new())
}

impl Unavailable {
    /// What a plugin depends on is not set up, in its words.
    pub fn not_enabled(reason: String) -> Self {
        Self::new(NOT_ENABLED, reason, Vec::new())
    }

    /// What a server lacks, explained by asking it.
    ///
    /// # Errors
    /// When the server does not answer: that is no lack.
    pub async fn lacking(lack: Lack, host: &Host) -> Result<Self, ReadError> {
        match lack {
            Lack::Release((year, number)) => {
                let version = host.version().await?;
                let message = format!("this panel needs ClickHouse {year}.{number} or newer; the server is {version}");
                Ok(Self::new(NOT_IN_THIS_VERSION, message, Vec::new()))
            }
            Lack::Table(table) => {
                let absence = host.why_absent(&table).await?;
                Ok(Self::of(absence, &table, format!("this server does not show {table} to the host's user")))
            }
            Lack::Columns(table, columns) => {
                let first = columns.first().map_or("", String::as_str);
                let absence = host.why_column_absent(&table, first).await?;
                let words = format!("{table} has no {} on this server", columns.join(", "));
                let mut unavailable = Self::of(absence, &table, words);
                unavailable.missing_tables.clear();
                Ok(unavailable)
            }
        }
    }

    /// No server of several has what it takes.
    #[must_use]
    pub fn nowhere(reasons: String) -> Self {
        Self::new("unknown", reasons, Vec::new())
    }

    /// What a failed statement says about what is not there or not granted; nothing when it failed for another reason.
    pub async fn behind(panel: &Panel, error: &ReadError, host: &Host) -> Option<Self> {
        use chm_clickhouse::ErrorKind::{ColumnNotFound, Permission, TableNotFound};
        if matches!(error, ReadError::TooOld { .. }) {
            return Some(Self::new(NOT_IN_THIS_VERSION, error.to_string(), Vec::new()));
        }
        if let Some(unavailable) = Self::without_keeper(panel, error) {
            return Some(unavailable);
        }
        if !matches!(error.kind(), ColumnNotFound | Permission | TableNotFound) {
            return None;
        }
        for needed in &panel.selection.requires {
            if let Ok(Some(absence)) = host.why_absent(&needed.table).await {
                return Some(Self::of(Some(absence), &needed.table, String::new()));
            }
        }
        let reason = if error.kind() == Permission { "not_granted" } else { NOT_IN_THIS_VERSION };
        let mut unavailable = Self::new(reason, error.to_string(), Vec::new());
        unavailable.remedy = host.grant_for(error);
        if let Some(grant) = &unavailable.remedy {
            unavailable.message =
                format!("the ClickHouse user may not run this; an administrator grants it with: {grant}");
        }
        Some(unavailable)
    }

    /// A table that only says something where Keeper answers.
    fn without_keeper(panel: &Panel, error: &ReadError) -> Option<Self> {
        let behind = |table: &TableName| table.database() == "system" && BEHIND_KEEPER.contains(&table.table());
        let table = panel.selection.requires.iter().map(|needed| &needed.table).find(|table| behind(table))?;
        let (_, what) = WITHOUT_KEEPER.iter().find(|(code, _)| error.code() == Some(*code))?;
        let remedy = "<zookeeper> in the server's configuration, with the addresses of Keeper";
        let message =
            format!("{table} cannot be read, because this server {what}; it is set up with {remedy}. {error}");
        Some(Self { remedy: Some(remedy.to_owned()), ..Self::new(NOT_ENABLED, message, vec![table.to_string()]) })
    }

    fn new(reason: &str, message: String, missing_tables: Vec<String>) -> Self {
        Self { reason: reason.to_owned(), message, remedy: None, missing_tables }
    }

    fn of(absence: Option<Absence>, table: &TableName, otherwise: String) -> Self {
        match absence {
            Some(absence) => Self {
                reason: absence.kind().to_owned(),
                message: absence.to_string(),
                remedy: absence.remedy().map(str::to_owned),
                missing_tables: vec![table.to_string()],
            },
            None => Self::new("unknown", otherwise, vec![table.to_string()]),
        }
    }
}
