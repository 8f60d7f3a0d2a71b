//! A plugin's own small store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries shared by all calls of one plugin; kept in memory.
#[derive(Debug, Default)]
pub(crate) struct KvStore {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    values: HashMap<String, Vec<u8>>,
    bytes: usize,
}

fn cost(key: &str, value: &[u8]) -> usize {
    key.len() + value.len()
}

impl Entries {
    fn remove(&mut self, key: &str) {
        if let Some(value) = self.values.remove(key) {
            self.bytes -= cost(key, &value);
        }
    }
}

impl KvStore {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.entries().values.get(key).cloned()
    }

    /// False, and nothing changes, when the entry would make the store larger than `limit_bytes`.
    pub(crate) fn set(&self, key: String, value: Vec<u8>, limit_bytes: usize) -> bool {
        let mut entries = self.entries();
        let replaced = entries.values.get(&key).map_or(0, |value| cost(&key, value));
        let bytes = entries.bytes - replaced + cost(&key, &value);
        if bytes > limit_bytes {
            return false;
        }
        entries.values.insert(key, value);
        entries.bytes = bytes;
        true
    }

    pub(crate) fn delete(&self, key: &str) {
        self.entries().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_an_entry_frees_its_bytes_and_the_limit_holds() {
        let (store, limit) = (KvStore::default(), 10);
        assert!(store.set("k".into(), vec![0; 9], limit));
        assert!(store.set("k".into(), vec![1; 9], limit));
        assert!(!store.set("k".into(), vec![2; 10], limit));
        assert!(!store.set("l".into(), vec![], limit));
        assert_eq!(store.get("k"), Some(vec![1; 9]));
        store.delete("k");
        store.delete("k");
        assert!(store.set("l".into(), vec![2; 9], limit));
    }
}
