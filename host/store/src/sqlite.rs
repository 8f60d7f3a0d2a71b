//! A SQLite file.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

use crate::error::StoreError;
use crate::migrations;
use crate::store::PATIENCE;
use crate::url::StoreUrl;

/// Connections; each is a thread, and only one writes at a time.
const CONNECTIONS: u32 = 4;
/// How long a host waits for others that open the same file.
const OPENING: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(25);

/// Opens the file, which is made when it is not there, for its owner alone.
pub(crate) async fn open(path: &Path, url: &StoreUrl) -> Result<SqlitePool, StoreError> {
    create(path).map_err(|source| StoreError::File { url: url.clone(), source })?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(PATIENCE)
        .journal_mode(SqliteJournalMode::Wal)
        // An entry that was confirmed is still there after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let began = std::time::Instant::now();
    loop {
        match connect(&options, url).await {
            // Changing the journal mode of a new file does not wait its turn, as everything else does.
            Err(error) if is_busy(&error) && began.elapsed() < OPENING => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
}

async fn connect(options: &SqliteConnectOptions, url: &StoreUrl) -> Result<SqlitePool, StoreError> {
    let opened = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options.clone())
        .await;
    let pool = opened.map_err(|source| StoreError::Open { url: url.clone(), source })?;
    migrate(&pool).await.map_err(|source| StoreError::Migrate { url: url.clone(), source })?;
    Ok(pool)
}

/// All steps in one transaction that writes from its beginning: of several hosts that start at once, one makes the tables and the
/// others find them. (The locks that sqlx takes around migrations do nothing with SQLite.)
async fn migrate(pool: &SqlitePool) -> Result<(), MigrateError> {
    let mut all = pool.begin_with("BEGIN IMMEDIATE").await?;
    migrations::sqlite().run_direct(None, &mut *all, false).await?;
    all.commit().await?;
    Ok(())
}

fn create(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // What SQLite puts beside the file has the file's mode.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn is_busy(error: &StoreError) -> bool {
    let source = match error {
        StoreError::Open { source, .. } | StoreError::Migrate { source: MigrateError::Execute(source), .. } => source,
        _ => return false,
    };
    // SQLITE_BUSY and SQLITE_LOCKED, with what may stand in the higher bits.
    let code = source.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}
