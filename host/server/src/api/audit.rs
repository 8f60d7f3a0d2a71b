//! The audit log, for operators.

use std::sync::Arc;

use chm_store::{Entry, EntryFilter};
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;

use super::error::{Problem, Word};
use super::keys::{parse_cursor, store_problem};
use super::operator::OperatorGate;
use super::{Tag, milliseconds_timestamp};
use crate::app::App;

/// The audit log.
pub struct AuditApi;

/// What a page has when nobody says.
const PAGE: u32 = 100;

/// A page of the audit log, newest first.
#[derive(Debug, Object)]
pub struct AuditPage {
    /// The entries.
    pub data: Vec<AuditEntry>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next: Option<String>,
}

/// Something that happened.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Rises with each entry.
    pub id: i64,
    /// When.
    pub time: String,
    /// What: `request.write`, `key.mint`, `key.revoke`, `key.rotate`, `key.prune`, `control.kill-query`, `control.optimize-table` or
    /// `plugin.load`.
    pub action: String,
    /// `done`, `denied` or `failed`.
    pub outcome: String,
    /// Who.
    pub actor: AuditActor,
    /// The client's address.
    #[oai(nullable)]
    pub address: Option<String>,
    /// The request's id, as in the log.
    #[oai(nullable)]
    pub request_id: Option<String>,
    /// To what.
    #[oai(nullable)]
    pub target: Option<String>,
    /// What else is worth knowing.
    pub details: Value,
}

/// Who did something.
#[derive(Debug, Object)]
pub struct AuditActor {
    /// `principal`, `api_key`, `token`, `admin`, `anonymous`, `open`, `unknown`, `command` or `host`.
    pub kind: String,
    /// Who, when that is known.
    #[oai(nullable)]
    pub subject: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Audit")]
impl AuditApi {
    /// Read the audit log
    ///
    /// Newest first. It is only ever appended to.
    #[oai(path = "/audit", method = "get", operation_id = "list_audit")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the request")]
    async fn list(
        &self,
        _gate: OperatorGate<false>,
        app: Data<&Arc<App>>,
        /// Not before this: ISO 8601 with an offset, for example `2026-01-31T00:00:00Z`.
        since: Query<Option<String>>,
        /// Before this.
        until: Query<Option<String>>,
        /// With this action.
        action: Query<Option<String>>,
        /// By this subject.
        subject: Query<Option<String>>,
        /// Most entries of this page.
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<Option<u32>>,
        /// The `next` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Json<AuditPage>, Problem> {
        let cursor = parse_cursor(cursor.0.as_deref())?;
        let filter = EntryFilter {
            since: time("since", since.0.as_deref())?,
            until: time("until", until.0.as_deref())?,
            action: action.0,
            subject: subject.0,
        };
        let store = app.audit.store().ok_or_else(|| {
            let why = "the audit log is in the host's log only: `store.url` (CHM_STORE_URL) is `none`";
            Problem::new(Word::Network, why)
        })?;
        let page = store.entries(&filter, limit.0.unwrap_or(PAGE), cursor.as_ref()).await;
        let page = page.map_err(|error| store_problem(&error))?;
        let data = page.items.into_iter().map(body).collect();
        Ok(Json(AuditPage { data, next: page.next.map(|next| next.to_string()) }))
    }
}

fn time(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let expected = || {
        let message = format!("parameter `{name}`: expected ISO 8601 with an offset, for example 2026-01-31T00:00:00Z");
        Problem::invalid(name, message)
    };
    let time = text.trim().parse::<jiff::Timestamp>().map_err(|_| expected())?;
    Ok(Some(time.as_millisecond()))
}

fn body(kept: Entry) -> AuditEntry {
    let entry = kept.entry;
    AuditEntry {
        id: kept.id,
        time: milliseconds_timestamp(entry.time),
        action: entry.action,
        outcome: entry.outcome.to_string(),
        actor: AuditActor { kind: entry.actor.kind, subject: entry.actor.subject },
        address: entry.address,
        request_id: entry.request_id,
        target: entry.target,
        details: entry.details,
    }
}
