//! What the store promises, on a SQLite file and on a real PostgreSQL.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod audit;
mod keys;
mod opening;
mod postgres;

use chm_store::{Actor, NewEntry, NewKey, Outcome, Store, StoreUrl};
use serde_json::json;

/// A store, and what it lives in.
struct Place {
    store: Store,
    url: StoreUrl,
    database: Option<postgres::Database>,
    folder: Option<tempfile::TempDir>,
}

impl Place {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::sqlite(folder.path().join("state.db"));
        Self { store: Store::open(&url).await.unwrap(), url, database: None, folder: Some(folder) }
    }

    async fn postgres() -> Self {
        let database = tokio::task::spawn_blocking(postgres::Database::create).await.unwrap();
        let url: StoreUrl = database.url().parse().unwrap();
        Self { store: Store::open(&url).await.unwrap(), url, database: Some(database), folder: None }
    }

    /// One of each sort.
    async fn both() -> [Self; 2] {
        [Self::sqlite().await, Self::postgres().await]
    }

    /// Runs a statement past the store, as somebody with access to the database could.
    async fn run(&self, statement: &'static str) -> Result<(), String> {
        match (&self.database, &self.folder) {
            (Some(database), _) => database.try_run(statement).map(|_| ()),
            (None, Some(folder)) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("state.db"));
                let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
                let ran = sqlx::raw_sql(statement).execute(&mut connection).await;
                ran.map(|_| ()).map_err(|error| error.to_string())
            }
            (None, None) => unreachable!(),
        }
    }
}

fn entry(action: &str) -> NewEntry {
    NewEntry {
        time: 1_700_000_000_123,
        action: action.to_owned(),
        outcome: Outcome::Done,
        actor: Actor { kind: "principal".to_owned(), subject: Some("ann".to_owned()) },
        address: Some("192.0.2.7".to_owned()),
        request_id: Some("r1".to_owned()),
        target: Some("k1".to_owned()),
        details: json!({"why": "test"}),
    }
}

fn key(id: &str) -> NewKey {
    NewKey {
        id: id.to_owned(),
        subject: "ci".to_owned(),
        scopes: vec!["*:read".to_owned(), "tables:write".to_owned()],
        roles: vec!["sre, \"lead\"".to_owned()],
        created_at: 1000,
        created_by: "ann".to_owned(),
        expires_at: 2000,
    }
}
