//! A plugin's own small store.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Entries shared by all calls of one plugin; kept in memory.
#[derive(Debug, Default)]
pub(crate) struct KvStore {
    entries: Mutex<HashMap<String, Vec<u8>>>,
}

impl KvStore {
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// False when the entry would make the store larger than `limit_bytes` (keys and values counted).
    pub(crate) fn set(&self, key: String, value: Vec<u8>, limit_bytes: usize) -> bool {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let others: usize =
            entries.iter().filter(|(other, _)| **other != key).map(|(other, value)| other.len() + value.len()).sum();
        if others + key.len() + value.len() > limit_bytes {
            return false;
        }
        entries.insert(key, value);
        true
    }

    pub(crate) fn delete(&self, key: &str) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_an_entry_frees_its_bytes_and_the_limit_holds() {
        let store = KvStore::default();
        assert!(store.set("k".into(), vec![0; 9], 10));
        assert!(store.set("k".into(), vec![1; 9], 10));
        assert!(!store.set("l".into(), vec![], 10));
        assert_eq!(store.get("k"), Some(vec![1; 9]));
        store.delete("k");
        assert!(store.set("l".into(), vec![2; 9], 10));
    }
}
