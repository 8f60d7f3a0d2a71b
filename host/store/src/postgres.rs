//! A PostgreSQL database.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

use crate::error::StoreError;
use crate::migrations;
use crate::store::PATIENCE;
use crate::url::StoreUrl;

/// Connections of one host.
const CONNECTIONS: u32 = 8;

/// Connects. Of several hosts that start at once, one makes the tables: the steps run under an advisory lock.
pub(crate) async fn open(options: &PgConnectOptions, url: &StoreUrl) -> Result<PgPool, StoreError> {
    let options = options.clone().application_name("chm-host").extra_float_digits(None).disable_statement_logging();
    let opened =
        PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE).connect_with(options).await;
    let pool = opened.map_err(|source| StoreError::Open { url: url.clone(), source })?;
    migrations::postgres().run(&pool).await.map_err(|source| StoreError::Migrate { url: url.clone(), source })?;
    Ok(pool)
}
