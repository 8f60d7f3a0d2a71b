//! The open store.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use sqlx::{PgPool, SqlitePool};

use crate::error::StoreError;
use crate::url::{Kind, StoreUrl};
use crate::{postgres, sqlite};

/// How long one call may take. A store that is silent must not hold up the requests that ask it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The open store. Clones share its connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) backend: Backend,
    url: StoreUrl,
}

#[derive(Clone)]
pub(crate) enum Backend {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Writes the same code for both databases: the statements are the same, the types of the connections are not.
macro_rules! on_both {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.backend {
            $crate::store::Backend::Sqlite($pool) => $crate::store::in_time(async { $body }).await,
            $crate::store::Backend::Postgres($pool) => $crate::store::in_time(async { $body }).await,
        }
    };
}
pub(crate) use on_both;

pub(crate) async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(PATIENCE, call).await.unwrap_or(Err(StoreError::Timeout(PATIENCE)))
}

impl Store {
    /// Connects, and makes the tables that are missing. Several hosts may do so at once.
    ///
    /// # Errors
    /// When the file cannot be made, the server cannot be reached, or the tables cannot be brought up to date.
    pub async fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        let backend = match &url.0 {
            Kind::Sqlite(path) => Backend::Sqlite(sqlite::open(path, url).await?),
            Kind::Postgres(options) => Backend::Postgres(postgres::open(options, url).await?),
        };
        Ok(Self { backend, url: url.clone() })
    }

    /// Where it is; shows no password.
    pub fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// Asks whether it is there.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on_both!(self, pool => Ok(sqlx::query("SELECT 1").execute(pool).await.map(|_| ())?))
    }

    /// Ends the connections, after the calls that use them.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(pool) => pool.close().await,
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.url)
    }
}
