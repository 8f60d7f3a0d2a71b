//! Whether the store still has a key, asked seldom enough and often enough.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chm_store::Store;
use tokio::sync::OnceCell;

/// How long an answer counts. A key that is revoked, on whichever host, is refused everywhere within this and one look-up.
const FRESH: Duration = Duration::from_millis(500);
/// How long a look-up may take; a store that is silent must not hold up requests.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most keys that are remembered; only rightly signed ones get this far.
const MOST: usize = 10_000;

/// What the store says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is known, and not revoked; it ends with this second.
    Until(i64),
    /// It is unknown or revoked, or the store does not answer.
    Refused,
}

/// When it was asked, and the answer as soon as there is one.
type Asked = (Instant, Arc<OnceCell<Standing>>);

/// Asks the store, and remembers for half a second. Requests with one key at one time make one look-up.
#[derive(Debug)]
pub(super) struct Liveness {
    store: Store,
    asked: Mutex<HashMap<String, Asked>>,
}

impl Liveness {
    pub fn new(store: Store) -> Self {
        Self { store, asked: Mutex::default() }
    }

    /// Whether the key may be used at `now`, in seconds since the Unix epoch.
    pub async fn is_live(&self, id: &str, now: i64) -> bool {
        let standing = *self.question(id).get_or_init(|| self.ask(id)).await;
        matches!(standing, Standing::Until(end) if end >= now)
    }

    /// The question as it was asked last, or a new one. An answer is as old as its question: what was revoked while the store
    /// looked is asked for again in time.
    fn question(&self, id: &str) -> Arc<OnceCell<Standing>> {
        let now = Instant::now();
        let is_fresh = |asked: &Instant| now.saturating_duration_since(*asked) < FRESH;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, question)) = asked.get(id).filter(|(asked, _)| is_fresh(asked)) {
            return question.clone();
        }
        if asked.len() >= MOST {
            asked.retain(|_, (asked, _)| is_fresh(asked));
        }
        let question = Arc::<OnceCell<Standing>>::default();
        if asked.len() < MOST {
            asked.insert(id.to_owned(), (now, question.clone()));
        }
        question
    }

    async fn ask(&self, id: &str) -> Standing {
        match tokio::time::timeout(PATIENCE, self.store.key(id)).await {
            Ok(Ok(Some(key))) if key.revoked_at.is_none() => Standing::Until(key.expires_at),
            Ok(Ok(_)) => Standing::Refused,
            Ok(Err(error)) => {
                tracing::error!(key = id, %error, "the store cannot say whether an API key is valid: it is refused");
                Standing::Refused
            }
            Err(_) => {
                tracing::error!(key = id, "the store does not say whether an API key is valid: it is refused");
                Standing::Refused
            }
        }
    }
}
