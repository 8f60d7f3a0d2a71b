//! API keys: made, listed, ended (contract §3.4, and what it lacks).

use std::sync::Arc;

use chm_store::{Cursor, Key};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::checked_json::CheckedJson;
use super::error::{GuardError, Problem, Word};
use super::mint_body::OptionalMint;
use super::operator::{KeyIssueGate, OperatorGate};
use super::{Tag, seconds_timestamp};
use crate::app::App;
use crate::keys::{KeyDesk, KeyError, KeyWish, Minted, now};

/// API keys.
pub struct KeysApi;

/// What a page has when nobody says.
const PAGE: u32 = 100;

/// A key that was made.
#[derive(Debug, Object)]
pub struct MintedKey {
    /// The key.
    pub data: MintedBody,
}

/// A key that was made. This is the only time that its token is shown.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct MintedBody {
    /// The token: `Authorization: Bearer chm_…`, or `X-API-Key`.
    pub api_key: String,
    /// Its id, for listing and ending it.
    pub id: String,
    /// Whom it is for.
    pub sub: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The roles it carries.
    pub roles: Vec<String>,
    /// Days it lasts.
    pub expires_in_days: u32,
    /// The last second it is valid in.
    pub expires_at: String,
}

/// A page of keys, newest first.
#[derive(Debug, Object)]
pub struct KeyPage {
    /// The keys.
    pub data: Vec<KeyBody>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next: Option<String>,
}

/// A key. Its token is kept nowhere.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct KeyBody {
    /// Its id.
    pub id: String,
    /// Whom it is for.
    pub sub: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The roles it carries.
    pub roles: Vec<String>,
    /// Whether it may be used now.
    pub active: bool,
    /// When it was made.
    pub created_at: String,
    /// Who made it.
    pub created_by: String,
    /// The last second it is valid in.
    pub expires_at: String,
    /// When it was revoked.
    #[oai(nullable)]
    pub revoked_at: Option<String>,
    /// Who revoked it.
    #[oai(nullable)]
    pub revoked_by: Option<String>,
    /// When it was last used; seconds late.
    #[oai(nullable)]
    pub last_used_at: Option<String>,
    /// The id of the key that it was rotated to.
    #[oai(nullable)]
    pub replaced_by: Option<String>,
}

/// How to rotate.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateBody {
    /// Seconds that the old key is still valid beside its successor, up to a week; 0 when absent.
    #[oai(nullable, default)]
    pub overlap_seconds: u32,
    /// Days that the successor lasts, 1 to 365; as long as the old key was made for when absent.
    #[oai(nullable)]
    pub days: Option<u32>,
}

/// An answer with a token, which nobody may keep.
#[derive(ApiResponse)]
pub enum MintResponse {
    /// The key.
    #[oai(status = 200)]
    Minted(
        Json<MintedKey>,
        /// `no-store`.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// The wish is wrong.
    #[oai(status = 400)]
    Invalid(Json<GuardError>),
    /// Keys are off, or the store cannot be reached.
    #[oai(status = 503)]
    Unavailable(Json<GuardError>),
}

/// An answer with a token, which nobody may keep.
#[derive(ApiResponse)]
pub enum RotateResponse {
    /// The successor.
    #[oai(status = 200)]
    Rotated(
        Json<MintedKey>,
        /// `no-store`.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Keys")]
impl KeysApi {
    /// Make an API key
    ///
    /// With the admin secret as a bearer token, or as an operator. A key without `scopes` may do everything, with an empty list
    /// nothing.
    #[oai(path = "/auth/api-key", method = "post", operation_id = "mint_api_key")]
    async fn mint(&self, gate: KeyIssueGate, app: Data<&Arc<App>>, body: OptionalMint) -> MintResponse {
        let Some(desk) = &app.keys else { return MintResponse::Unavailable(guard_error(NO_STORE)) };
        let wish = body.0.and_then(|mint| {
            let plugins = app.registry.catalogue.plugin_features();
            let (scopes, roles) = (mint.scopes.as_deref(), mint.roles.as_slice());
            KeyWish::check(mint.label.as_deref(), mint.days, scopes, roles, &plugins).map_err(|wrong| wrong.to_string())
        });
        let wish = match wish {
            Ok(wish) => wish,
            Err(wrong) => return MintResponse::Invalid(guard_error(&wrong)),
        };
        match desk.mint(&wish, &gate.0.by).await {
            Ok(minted) => {
                gate.0.kept();
                MintResponse::Minted(Json(minted_body(minted)), NO_CACHE.to_owned())
            }
            Err(KeyError::Store(error)) => {
                tracing::error!(%error, "no API key was made");
                MintResponse::Unavailable(guard_error(UNREACHABLE))
            }
            Err(error) => MintResponse::Invalid(guard_error(&error.to_string())),
        }
    }

    /// List the API keys
    ///
    /// Newest first; their tokens are kept nowhere.
    #[oai(path = "/auth/api-keys", method = "get", operation_id = "list_api_keys")]
    async fn list(
        &self,
        _gate: OperatorGate<false>,
        app: Data<&Arc<App>>,
        /// Most keys of this page.
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<Option<u32>>,
        /// The `next` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Json<KeyPage>, Problem> {
        let cursor = parse_cursor(cursor.0.as_deref())?;
        let page = desk(&app)?.list(limit.0.unwrap_or(PAGE), cursor.as_ref()).await.map_err(problem)?;
        let now = now();
        let data = page.items.into_iter().map(|key| key_body(key, now)).collect();
        Ok(Json(KeyPage { data, next: page.next.map(|next| next.to_string()) }))
    }

    /// Revoke an API key
    ///
    /// It is refused everywhere within a second, and for ever. Revoking it again changes nothing.
    #[oai(path = "/auth/api-keys/:id", method = "delete", operation_id = "revoke_api_key")]
    async fn revoke(
        &self,
        gate: OperatorGate<true>,
        app: Data<&Arc<App>>,
        /// The key's id.
        id: Path<String>,
    ) -> Result<Json<KeyBody>, Problem> {
        let key = desk(&app)?.revoke(&id.0, &gate.0.by).await.map_err(problem)?;
        gate.0.kept();
        Ok(Json(key_body(key, now())))
    }

    /// Rotate an API key
    ///
    /// Makes a successor that may do the same. The old key ends at once, or after an overlap.
    #[oai(path = "/auth/api-keys/:id/rotate", method = "post", operation_id = "rotate_api_key")]
    async fn rotate(
        &self,
        gate: OperatorGate<true>,
        app: Data<&Arc<App>>,
        /// The key's id.
        id: Path<String>,
        body: CheckedJson<RotateBody>,
    ) -> Result<RotateResponse, Problem> {
        let days = body.days.map(i64::from);
        let minted = desk(&app)?.rotate(&id.0, body.overlap_seconds.into(), days, &gate.0.by).await.map_err(problem)?;
        gate.0.kept();
        Ok(RotateResponse::Rotated(Json(minted_body(minted)), NO_CACHE.to_owned()))
    }
}

const NO_CACHE: &str = "no-store";
const NO_STORE: &str = "keys cannot be kept: `store.url` (CHM_STORE_URL) is `none`";
const UNREACHABLE: &str = "the store cannot be reached; the host's log has the cause under this request's id";

fn desk(app: &App) -> Result<&KeyDesk, Problem> {
    let why = if app.has_key_secret { NO_STORE } else { "CHM_API_KEY_SECRET is not configured" };
    app.keys.as_ref().ok_or_else(|| Problem::new(Word::Network, why))
}

pub(super) fn parse_cursor(text: Option<&str>) -> Result<Option<Cursor>, Problem> {
    let parsed = text.map(str::parse::<Cursor>).transpose();
    parsed.map_err(|wrong| Problem::invalid("cursor", format!("parameter `cursor`: {wrong}")))
}

fn problem(error: KeyError) -> Problem {
    match error {
        KeyError::Unknown(_) => Problem::new(Word::NotFound, error.to_string()),
        KeyError::Store(error) => store_problem(&error),
        KeyError::Overlap => Problem::invalid("overlapSeconds", error.to_string()),
        KeyError::Ended(_) => Problem::invalid("id", error.to_string()),
        KeyError::Invalid(_) => Problem::invalid("days", error.to_string()),
    }
}

/// The store failed.
pub(super) fn store_problem(error: &chm_store::StoreError) -> Problem {
    tracing::error!(%error, "the store failed");
    Problem::new(Word::Network, UNREACHABLE)
}

fn guard_error(message: &str) -> Json<GuardError> {
    Json(GuardError { error: message.to_owned() })
}

fn minted_body(minted: Minted) -> MintedKey {
    let key = minted.key;
    let data = MintedBody {
        api_key: minted.token,
        id: key.id,
        sub: key.subject,
        scopes: key.scopes,
        roles: key.roles,
        expires_in_days: minted.days,
        expires_at: seconds_timestamp(key.expires_at),
    };
    MintedKey { data }
}

fn key_body(key: Key, now: i64) -> KeyBody {
    KeyBody {
        active: key.is_live(now),
        id: key.id,
        sub: key.subject,
        scopes: key.scopes,
        roles: key.roles,
        created_at: seconds_timestamp(key.created_at),
        created_by: key.created_by,
        expires_at: seconds_timestamp(key.expires_at),
        revoked_at: key.revoked_at.map(seconds_timestamp),
        revoked_by: key.revoked_by,
        last_used_at: key.last_used_at.map(seconds_timestamp),
        replaced_by: key.replaced_by,
    }
}
