//! What PeerDB said a moment ago, without its secrets, for others who ask the same.

use chm_plugin::host::kv::{self, KvError};
use chm_plugin::host::{clock, config};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest entry, in bytes: one answer must not drive all others out.
const LONGEST: usize = 1 << 20;
/// Most entries that are ever kept.
const MOST: i64 = 100_000;
/// Longest time that an entry is ever kept, in milliseconds.
const LONGEST_TIME: i64 = 86_400_000;

#[derive(Serialize, Deserialize)]
struct Entry<Q, A> {
    question: Q,
    /// Milliseconds since the Unix epoch.
    since: f64,
    until: f64,
    answer: A,
}

/// One question. Its answer may be in one slot only, which it shares with others; so there are never more than the operator wants.
#[derive(Debug)]
pub(crate) struct Slot {
    key: String,
    question: String,
    /// Milliseconds that an answer is kept.
    time: i64,
    slots: i64,
}

/// Where the answer to a question is kept; nothing where none is.
pub(crate) fn slot(question: String) -> Option<Slot> {
    let time = config::integer("cache_ttl_ms").unwrap_or_default().clamp(0, LONGEST_TIME);
    let slots = config::integer("cache_max_entries").unwrap_or_default().clamp(0, MOST);
    if time == 0 || slots == 0 {
        return None;
    }
    let number = hash(question.as_bytes()) % u64::try_from(slots).ok()?;
    Some(Slot { key: key(number), question, time, slots })
}

impl Slot {
    /// The answer, while it may still be given.
    pub(crate) fn get(&self) -> Option<Value> {
        // Without a store each question is asked anew.
        let bytes = kv::get(&self.key).ok().flatten()?;
        let entry: Entry<String, Value> = serde_json::from_slice(&bytes).ok()?;
        // A clock that was set back must not keep an answer longer.
        let is_fresh = (entry.since..entry.until).contains(&clock::now());
        (is_fresh && entry.question == self.question).then_some(entry.answer)
    }

    /// Keeps an answer.
    pub(crate) fn put(&self, answer: &Value) {
        let since = clock::now();
        #[allow(clippy::cast_precision_loss)] // At most a day.
        let until = since + self.time as f64;
        let Ok(bytes) = serde_json::to_vec(&Entry { question: &self.question, since, until, answer }) else { return };
        if bytes.len() > LONGEST || !matches!(kv::set(&self.key, &bytes), Err(KvError::Full)) {
            return;
        }
        // Most of what is there is old: begin anew.
        for number in 0..self.slots {
            let _ = kv::delete(&key(number.unsigned_abs()));
        }
        let _ = kv::set(&self.key, &bytes);
    }
}

fn key(number: u64) -> String {
    format!("answer-{number}")
}

/// FNV-1a: it spreads well, and whoever makes two questions meet gains nothing, as the whole question is compared.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
