//! The answers of one case.

use std::time::Duration;

/// How long each took, over all rounds.
#[derive(Default)]
pub struct Measured {
    took: Vec<Duration>,
    time: Duration,
}

impl Measured {
    /// Adds a round.
    pub fn add(&mut self, took: Vec<Duration>, time: Duration) {
        self.took.extend(took);
        self.took.sort_unstable();
        self.time += time;
    }

    /// Answers per second, all connections together.
    pub fn per_second(&self) -> f64 {
        self.took.len() as f64 / self.time.as_secs_f64()
    }

    /// The time within which this share of the answers came, in milliseconds.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let at = (self.took.len() as f64 * share) as usize;
        self.took.get(at).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
    }
}
