//! Denials of strangers, kept up to a number: nobody fills the log, which is never emptied, by knocking.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Denials of callers without credentials that are kept a minute, per host.
const MOST: u32 = 120;
const WINDOW: Duration = Duration::from_secs(60);

/// What became of one denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is kept, and says how many before it were not.
    Keep(u64),
    /// It is only counted.
    Count,
}

#[derive(Debug)]
pub(super) struct Flood {
    state: Mutex<(Instant, u32, u64)>,
}

impl Flood {
    pub fn new() -> Self {
        Self { state: Mutex::new((Instant::now(), 0, 0)) }
    }

    pub fn admit(&self) -> Admission {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Admission {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, kept, left_out) = &mut *state;
        if now.saturating_duration_since(*began) >= WINDOW {
            (*began, *kept) = (now, 0);
        }
        if *kept < MOST {
            *kept += 1;
            Admission::Keep(std::mem::take(left_out))
        } else {
            *left_out += 1;
            Admission::Count
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_in_the_next_that_is_kept() {
        let (flood, now) = (Flood::new(), Instant::now());
        for _ in 0..MOST {
            assert_eq!(flood.admit_at(now), Admission::Keep(0));
        }
        for _ in 0..7 {
            assert_eq!(flood.admit_at(now), Admission::Count);
        }
        assert_eq!(flood.admit_at(now + WINDOW * 2), Admission::Keep(7));
        assert_eq!(flood.admit_at(now + WINDOW * 2), Admission::Keep(0));
    }
}
