//! The audit log: appended to and read, nothing else.

use sqlx::QueryBuilder;

use crate::entry::{Entry, EntryFilter, EntryRow, NewEntry};
use crate::error::StoreError;
use crate::page::{Cursor, MAX_PAGE, Page};
use crate::store::{Store, on_both};

pub(crate) const APPEND: &str = "INSERT INTO chm_audit \
    (time, action, outcome, actor_kind, actor_subject, address, request_id, target, details) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const SELECT: &str = "SELECT id, time, action, outcome, actor_kind, actor_subject, address, request_id, target, details \
    FROM chm_audit WHERE TRUE";

/// Appends an entry on a connection or in a transaction.
macro_rules! append {
    ($entry:expr, $to:expr) => {{
        let entry: &$crate::entry::NewEntry = $entry;
        let text = |text: &Option<String>| text.as_deref().map($crate::audit::storable);
        sqlx::query($crate::audit::APPEND)
            .bind(entry.time)
            .bind($crate::audit::storable(&entry.action))
            .bind(entry.outcome.as_str())
            .bind($crate::audit::storable(&entry.actor.kind))
            .bind(text(&entry.actor.subject))
            .bind(text(&entry.address))
            .bind(text(&entry.request_id))
            .bind(text(&entry.target))
            .bind(entry.details.to_string())
            .execute($to)
            .await?
    }};
}
pub(crate) use append;

/// PostgreSQL has no texts with NUL in them, and an entry is not lost for that.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

impl Store {
    /// Appends an entry. When this returns without an error, the entry is kept.
    ///
    /// # Errors
    /// When the store fails; the entry is not kept then.
    pub async fn append(&self, entry: &NewEntry) -> Result<(), StoreError> {
        on_both!(self, pool => {
            append!(entry, pool);
            Ok(())
        })
    }

    /// Entries that fit, newest first, up to `limit` of them (at most 1000), after the page that gave `cursor`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entries(
        &self,
        filter: &EntryFilter,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Entry>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        // A cursor of another list has no number, and nothing is before 0.
        let before = cursor.map(|cursor| cursor.number().unwrap_or(0));
        let rows: Vec<EntryRow> = on_both!(self, pool => {
            let mut query = QueryBuilder::new(SELECT);
            if let Some(before) = before {
                query.push(" AND id < ").push_bind(before);
            }
            if let Some(since) = filter.since {
                query.push(" AND time >= ").push_bind(since);
            }
            if let Some(until) = filter.until {
                query.push(" AND time < ").push_bind(until);
            }
            if let Some(action) = &filter.action {
                query.push(" AND action = ").push_bind(storable(action));
            }
            if let Some(subject) = &filter.subject {
                query.push(" AND actor_subject = ").push_bind(storable(subject));
            }
            query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit) + 1);
            Ok(query.build_query_as().fetch_all(pool).await?)
        })?;
        let entries = rows.into_iter().map(EntryRow::into_entry).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(entries, limit, |entry| entry.id.to_string()))
    }
}
