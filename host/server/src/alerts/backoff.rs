//! How long to wait before the next attempt.

use std::time::Duration;

/// Where the jitter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Jitter {
    /// The operating system's entropy.
    #[default]
    Random,
    /// None, for tests.
    None,
}

/// Doubles from `first` to `most`, with up to a quarter more of jitter, so that alerts that failed together do not return together.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// Never longer, unless the sink asks for it.
    pub most: Duration,
    /// Where the jitter comes from.
    pub jitter: Jitter,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_secs(300), jitter: Jitter::Random }
    }
}

impl Backoff {
    /// The pause after `failures` failed attempts (at least one); at least `asked`, which is what the sink said.
    #[must_use]
    pub fn delay(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let plain = self.first.saturating_mul(1 << doublings).min(self.most);
        let jittered = plain.saturating_add(plain.mul_f64(self.quarter())).min(self.most);
        jittered.max(asked.unwrap_or_default())
    }

    /// Between 0 and 0.25.
    fn quarter(&self) -> f64 {
        match self.jitter {
            Jitter::None => 0.0,
            // Without entropy alerts return together, which is no reason to fail.
            Jitter::Random => getrandom::u32().map_or(0.0, |number| f64::from(number) / f64::from(u32::MAX) / 4.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_most() {
        let backoff = Backoff { jitter: Jitter::None, ..Backoff::default() };
        let seconds: Vec<_> = (1..=11).map(|failures| backoff.delay(failures, None).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(backoff.delay(u32::MAX, None).as_secs(), 300);
    }

    #[test]
    fn jitter_adds_at_most_a_quarter_and_never_passes_the_most() {
        let backoff = Backoff::default();
        for _ in 0..200 {
            let delay = backoff.delay(3, None);
            assert!((4.0..=5.0).contains(&delay.as_secs_f64()), "{delay:?}");
            assert_eq!(backoff.delay(20, None).as_secs(), 300);
        }
    }

    #[test]
    fn the_sinks_wish_is_the_least() {
        let backoff = Backoff { jitter: Jitter::None, ..Backoff::default() };
        assert_eq!(backoff.delay(1, Some(Duration::from_secs(900))).as_secs(), 900);
        assert_eq!(backoff.delay(5, Some(Duration::from_secs(3))).as_secs(), 16);
    }
}
