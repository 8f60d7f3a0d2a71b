//! Keeping, ending and finding keys.

use crate::audit::{append, storable};
use crate::entry::NewEntry;
use crate::error::StoreError;
use crate::key::{Key, KeyRow, NewKey, Revocation, Rotation, listed};
use crate::page::{Cursor, MAX_PAGE, Page};
use crate::store::{Store, on_both};

const INSERT: &str = "INSERT INTO chm_keys (id, subject, scopes, roles, created_at, created_by, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const SELECT: &str = "SELECT id, subject, scopes, roles, created_at, created_by, expires_at, revoked_at, revoked_by, \
    last_used_at, replaced_by FROM chm_keys WHERE id = $1";

const LIST: &str = "SELECT id, subject, scopes, roles, created_at, created_by, expires_at, revoked_at, revoked_by, \
    last_used_at, replaced_by FROM chm_keys WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2";

const REVOKE: &str = "UPDATE chm_keys SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL";

/// Ends the old key at once, or leaves it until `$5`, but never longer than it would have lasted.
const REPLACE: &str = "UPDATE chm_keys SET replaced_by = $2, \
    revoked_at = CASE WHEN $5 <= $3 THEN $3 END, revoked_by = CASE WHEN $5 <= $3 THEN $4 END, \
    expires_at = CASE WHEN $5 < expires_at THEN $5 ELSE expires_at END \
    WHERE id = $1 AND revoked_at IS NULL AND replaced_by IS NULL AND expires_at >= $3";

const TOUCH: &str =
    "UPDATE chm_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";

const PRUNE: &str = "DELETE FROM chm_keys WHERE expires_at < $1 OR revoked_at < $1";

/// Inserts a key on a connection or in a transaction.
macro_rules! insert {
    ($key:expr, $to:expr) => {{
        let key: &NewKey = $key;
        sqlx::query(INSERT)
            .bind(storable(&key.id))
            .bind(storable(&key.subject))
            .bind(listed(&key.scopes))
            .bind(listed(&key.roles))
            .bind(key.created_at)
            .bind(storable(&key.created_by))
            .bind(key.expires_at)
            .execute($to)
            .await?
    }};
}

impl Store {
    /// Keeps a key, together with the entry about it.
    ///
    /// # Errors
    /// When the store fails, or has a key with this id; neither key nor entry is kept then.
    pub async fn insert_key(&self, key: &NewKey, entry: &NewEntry) -> Result<(), StoreError> {
        on_both!(self, pool => {
            let mut both = pool.begin().await?;
            insert!(key, &mut *both);
            append!(entry, &mut *both);
            Ok(both.commit().await?)
        })
    }

    /// The key with this id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key(&self, id: &str) -> Result<Option<Key>, StoreError> {
        let row: Option<KeyRow> = on_both!(self, pool => {
            Ok(sqlx::query_as(SELECT).bind(storable(id)).fetch_optional(pool).await?)
        })?;
        row.map(KeyRow::into_key).transpose()
    }

    /// Keys, newest first, up to `limit` of them (at most 1000), after the page that gave `cursor`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&self, limit: u32, cursor: Option<&Cursor>) -> Result<Page<Key>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let before = cursor.map_or("", Cursor::position);
        let rows: Vec<KeyRow> = on_both!(self, pool => {
            Ok(sqlx::query_as(LIST).bind(before).bind(i64::from(limit) + 1).fetch_all(pool).await?)
        })?;
        let keys = rows.into_iter().map(KeyRow::into_key).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(keys, limit, |key| key.id.clone()))
    }

    /// Ends a key at `now` (in seconds since the Unix epoch) and for ever. The entry is kept if this changed something.
    ///
    /// # Errors
    /// When the store fails; nothing has changed then.
    pub async fn revoke_key(&self, id: &str, by: &str, now: i64, entry: &NewEntry) -> Result<Revocation, StoreError> {
        let changed: u64 = on_both!(self, pool => {
            let mut both = pool.begin().await?;
            let revoked = sqlx::query(REVOKE).bind(storable(id)).bind(now).bind(storable(by)).execute(&mut *both).await?;
            if revoked.rows_affected() > 0 {
                append!(entry, &mut *both);
            }
            both.commit().await?;
            Ok(revoked.rows_affected())
        })?;
        Ok(match self.key(id).await? {
            None => Revocation::Unknown,
            Some(key) if changed == 0 => Revocation::Already(key),
            Some(key) => Revocation::Revoked(key),
        })
    }

    /// Keeps `successor` and ends the key `id`: `overlap` seconds after the successor was made, or at once if that is 0.
    /// The entry is kept if this changed something.
    ///
    /// # Errors
    /// When the store fails, or has a key with the successor's id; nothing has changed then.
    pub async fn rotate_key(
        &self,
        id: &str,
        successor: &NewKey,
        overlap: u32,
        entry: &NewEntry,
    ) -> Result<Rotation, StoreError> {
        let now = successor.created_at;
        let changed: u64 = on_both!(self, pool => {
            let mut all = pool.begin().await?;
            // Written first: two rotations of one key cannot both find it without a successor.
            let ended = sqlx::query(REPLACE)
                .bind(storable(id))
                .bind(storable(&successor.id))
                .bind(now)
                .bind(storable(&successor.created_by))
                .bind(now.saturating_add(overlap.into()))
                .execute(&mut *all)
                .await?;
            if ended.rows_affected() > 0 {
                insert!(successor, &mut *all);
                append!(entry, &mut *all);
            }
            all.commit().await?;
            Ok(ended.rows_affected())
        })?;
        Ok(match self.key(id).await? {
            None => Rotation::Unknown,
            Some(key) if changed == 0 => Rotation::Ended(key),
            Some(key) => Rotation::Rotated(key),
        })
    }

    /// Notes when keys were last used: ids and seconds since the Unix epoch. A later time that is kept already stays.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn touch_keys(&self, uses: &[(String, i64)]) -> Result<(), StoreError> {
        let mut uses: Vec<_> = uses.iter().collect();
        // In one order everywhere, so that two hosts cannot wait for each other.
        uses.sort();
        on_both!(self, pool => {
            let mut all = pool.begin().await?;
            for (id, time) in &uses {
                sqlx::query(TOUCH).bind(storable(id)).bind(time).execute(&mut *all).await?;
            }
            Ok(all.commit().await?)
        })
    }

    /// Removes keys that ended before `before` (in seconds since the Unix epoch) and says how many; `entry` is made from that.
    ///
    /// # Errors
    /// When the store fails; nothing has changed then.
    pub async fn prune_keys(&self, before: i64, entry: impl Fn(u64) -> NewEntry + Send) -> Result<u64, StoreError> {
        on_both!(self, pool => {
            let mut both = pool.begin().await?;
            let removed = sqlx::query(PRUNE).bind(before).execute(&mut *both).await?.rows_affected();
            append!(&entry(removed), &mut *both);
            both.commit().await?;
            Ok(removed)
        })
    }
}
