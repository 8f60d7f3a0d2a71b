//! Why the store could not do what was asked.

use std::time::Duration;

use sqlx::migrate::MigrateError;

use crate::url::StoreUrl;

/// Why the store could not do what was asked. For the log; it shows no password and no token.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or the file of a SQLite store cannot be made.
    #[error(
        "the store {url} cannot be created: {source}; give the host a folder that it may write to, or another `store.url`"
    )]
    File {
        /// The store.
        url: StoreUrl,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be connected to.
    #[error("the store {url} cannot be opened: {source}")]
    Open {
        /// The store.
        url: StoreUrl,
        /// Why.
        source: sqlx::Error,
    },
    /// Its tables cannot be brought up to date.
    #[error("the tables of the store {url} cannot be brought up to date: {source}")]
    Migrate {
        /// The store.
        url: StoreUrl,
        /// Why.
        source: MigrateError,
    },
    /// It did not answer in time.
    #[error("the store did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// A statement failed.
    #[error("the store failed: {0}")]
    Database(#[from] sqlx::Error),
    /// What it holds is not what this host has written.
    #[error("the store holds a value in `{column}` that cannot be read: {reason}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// Why.
        reason: String,
    },
}
