//! Answers that are kept for a while, within a budget of memory.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Values by key, each for its own time; the oldest go first when there is no room. As times are short, the oldest is also the least
/// useful, and no record of use is needed.
#[derive(Debug)]
pub(super) struct Shelf<K, V> {
    values: HashMap<Arc<K>, Kept<V>>,
    /// In the order they came. A key that came again is in here twice; its number tells which is meant.
    order: VecDeque<(Arc<K>, u64)>,
    numbers: u64,
    size: usize,
    room: usize,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    size: usize,
    came: Instant,
    number: u64,
}

/// What each takes besides its size, in bytes, roughly.
const KEY_BYTES: usize = 2048;

impl<K: Hash + Eq, V: Clone> Shelf<K, V> {
    /// An empty one for so many bytes.
    pub fn new(room: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), numbers: 0, size: 0, room }
    }

    /// A value that is not older than this.
    pub fn get(&self, key: &K, age: Duration) -> Option<V> {
        self.values.get(key).filter(|kept| kept.came.elapsed() < age).map(|kept| kept.value.clone())
    }

    /// Keeps a value of so many bytes, in place of what was there. One that is larger than an eighth of the room is not kept.
    pub fn put(&mut self, key: K, value: V, size: usize) {
        let size = size + KEY_BYTES;
        if size > self.room / 8 {
            return;
        }
        self.numbers += 1;
        let (key, number) = (Arc::new(key), self.numbers);
        self.order.push_back((key.clone(), number));
        self.size += size;
        // `insert` would keep the old key, which `order` may be about to let go.
        if let Some(old) = self.values.remove(&key) {
            self.size -= old.size;
        }
        self.values.insert(key, Kept { value, size, came: Instant::now(), number });
        while self.size > self.room || self.order.len() > 2 * self.values.len() + 16 {
            let Some((oldest, number)) = self.order.pop_front() else { break };
            if self.values.get(&oldest).is_some_and(|kept| kept.number == number)
                && let Some(old) = self.values.remove(&oldest)
            {
                self.size -= old.size;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_secs(60);

    #[test]
    fn the_room_is_never_exceeded_and_the_oldest_go_first() {
        let mut shelf = Shelf::new(10 * (KEY_BYTES + 100));
        for number in 0..100 {
            shelf.put(number, number, 100);
            assert!(shelf.size <= shelf.room, "{}", shelf.size);
        }
        let kept: Vec<i32> = (0..100).filter(|number| shelf.get(number, AGE).is_some()).collect();
        assert_eq!(kept, (90..100).collect::<Vec<_>>());
        shelf.put(1, 1, shelf.room / 8);
        assert_eq!(shelf.get(&1, AGE), None, "too large");
    }

    #[test]
    fn a_key_that_comes_again_holds_its_newest_value_and_costs_nothing_more() {
        let mut shelf = Shelf::new(1 << 20);
        for number in 0..1000 {
            shelf.put("key", number, 10);
        }
        assert_eq!(shelf.get(&"key", AGE), Some(999));
        assert_eq!(shelf.get(&"key", Duration::ZERO), None, "older than wanted");
        assert_eq!(shelf.size, KEY_BYTES + 10);
        assert!(shelf.order.len() < 32, "{}", shelf.order.len());
    }
}
