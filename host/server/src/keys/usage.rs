//! When keys were last used, written down now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chm_store::Store;

/// How often it is written down.
const PERIOD: Duration = Duration::from_secs(5);

/// Uses that are not written down yet.
#[derive(Debug)]
pub(super) struct Usage {
    store: Store,
    waiting: Mutex<HashMap<String, i64>>,
}

impl Usage {
    /// Starts writing down. Ends with the last owner.
    pub fn start(store: Store) -> Arc<Self> {
        let usage = Arc::new(Self { store, waiting: Mutex::default() });
        let weak = Arc::downgrade(&usage);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PERIOD).await;
                let Some(usage) = weak.upgrade() else { break };
                usage.flush().await;
            }
        });
        usage
    }

    /// A key was used.
    pub fn note(&self, id: &str, now: i64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.get_mut(id) {
            Some(time) => *time = now,
            None => {
                waiting.insert(id.to_owned(), now);
            }
        }
    }

    /// Writes down what waits.
    pub async fn flush(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.is_empty() {
            return;
        }
        let uses: Vec<_> = waiting.into_iter().collect();
        if let Err(error) = self.store.touch_keys(&uses).await {
            tracing::warn!(keys = uses.len(), %error, "when these API keys were last used is not written down");
        }
    }
}
