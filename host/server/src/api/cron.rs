//! What a timer asks for, with a secret of its own.

use std::sync::Arc;

use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::envelope::Envelope;
use super::error::{Problem, Word};
use super::keys::store_problem;
use super::operator::CronGate;
use crate::app::App;
use crate::keys::prune;

/// What a timer asks for.
pub struct CronApi;

/// What was removed.
#[derive(Debug, Clone, Object)]
#[oai(rename_all = "camelCase")]
pub struct Pruned {
    /// Keys.
    pub removed_keys: u64,
    /// That ended more than so many days ago.
    pub older_than_days: u32,
}

#[OpenApi(prefix_path = "/api/cron", tag = "Tag::Keys")]
impl CronApi {
    /// Remove keys that ended long ago
    ///
    /// For timers that can only ask: with `CRON_SECRET` as a bearer token.
    #[oai(path = "/retention-prune", method = "get", operation_id = "retention_prune_by_get")]
    async fn get(&self, gate: CronGate, app: Data<&Arc<App>>) -> Result<Json<Envelope<Pruned>>, Problem> {
        remove(gate, &app).await
    }

    /// Remove keys that ended long ago
    ///
    /// With `CRON_SECRET` as a bearer token.
    #[oai(path = "/retention-prune", method = "post", operation_id = "retention_prune")]
    async fn post(&self, gate: CronGate, app: Data<&Arc<App>>) -> Result<Json<Envelope<Pruned>>, Problem> {
        remove(gate, &app).await
    }
}

async fn remove(gate: CronGate, app: &App) -> Result<Json<Envelope<Pruned>>, Problem> {
    let store = app.audit.store().ok_or_else(|| {
        Problem::new(Word::Network, "there are no keys to remove: `store.url` (CHM_STORE_URL) is `none`")
    })?;
    let days = app.key_retention_days;
    let removed = prune(store, days, &gate.0.by).await.map_err(|error| store_problem(&error))?;
    gate.0.kept();
    Ok(Json(Envelope::of(Pruned { removed_keys: removed, older_than_days: days })))
}
