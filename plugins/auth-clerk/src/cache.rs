//! What Clerk said of tokens, for a short while. A token is known by its HMAC: the store never holds one.

use chm_plugin::Failure;
use chm_plugin::host::kv::{self, KvError};
use chm_plugin::host::{clock, config};
use serde::{Deserialize, Serialize};

use crate::grant::Grant;

/// Longest entry, in bytes. With 256 slots all fit into the granted store, so that nothing need be cleared away.
const LONGEST: usize = 1000;
/// Longest time an answer is kept, in seconds.
const MOST_SECONDS: i64 = 300;

#[derive(Serialize, Deserialize)]
struct Entry {
    tag: Vec<u8>,
    /// Milliseconds since the Unix epoch.
    until: f64,
    grant: Grant,
}

/// What Clerk said of the token with this HMAC, while it may still be believed.
pub(crate) fn get(tag: &[u8]) -> Result<Option<Grant>, Failure> {
    let Some(bytes) = kv::get(&slot(tag))? else { return Ok(None) };
    // An older version of this plugin may have left something else.
    let entry = serde_json::from_slice::<Entry>(&bytes).ok();
    Ok(entry.filter(|entry| entry.tag == tag && clock::now() < entry.until).map(|entry| entry.grant))
}

/// Keeps what Clerk said.
pub(crate) fn put(tag: &[u8], grant: &Grant) -> Result<(), Failure> {
    let seconds = config::integer("oauth_cache_seconds").unwrap_or_default().clamp(0, MOST_SECONDS);
    if seconds == 0 {
        return Ok(());
    }
    let now = clock::now();
    #[allow(clippy::cast_precision_loss)] // At most 300.
    let latest = now + seconds as f64 * 1000.0;
    let until = grant.ends().map_or(latest, |end| end.min(latest));
    let entry = Entry { tag: tag.to_vec(), until, grant: grant.clone() };
    let bytes = serde_json::to_vec(&entry).map_err(|error| Failure::internal(error.to_string()))?;
    if bytes.len() > LONGEST {
        return Ok(());
    }
    match kv::set(&slot(tag), &bytes) {
        // Clerk is asked again, that is all.
        Ok(()) | Err(KvError::Full) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Tokens share 256 slots by the first byte of their HMAC, and the later one stays.
fn slot(tag: &[u8]) -> String {
    format!("oauth-{}", tag.first().copied().unwrap_or_default())
}
