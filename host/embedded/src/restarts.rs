//! What becomes of an engine that ends by itself: it is told, and started again a few times.
//!
//! Started again rather than given up at once: a host that watches must not end for one query too many, the data
//! survives a kill, and with the same port and password nobody else has to learn of it. A few times only: an engine
//! that cannot live is for people to look at, and a host that has nothing to watch is better gone than quiet.

use std::time::{Duration, Instant};

use crate::engine::{Engine, EngineError};

/// How often, and how fast, an engine is started again.
#[derive(Debug, Clone)]
pub struct Restarts {
    /// Pause before the first; each further one within the window is twice as long.
    pub pause: Duration,
    /// So many within the window, and the next end is the last.
    pub most: u32,
    /// Ends longer ago than this are forgotten.
    pub window: Duration,
}

impl Default for Restarts {
    /// After 0.5, 1, 2, 4 and 8 s; the sixth end within ten minutes is the last.
    fn default() -> Self {
        Self { pause: Duration::from_millis(500), most: 5, window: Duration::from_secs(600) }
    }
}

/// It ended too often.
#[derive(Debug, thiserror::Error)]
#[error(
    "the embedded ClickHouse ended {times} times within {window:?} and is not started again. The last time: {last}\n\
     What ClickHouse logged is in {log}; its data is kept. Give it more memory or ask less of it at a time, and start the host again"
)]
pub struct GaveUp {
    /// Ends within the window.
    times: u32,
    /// [`Restarts::window`].
    window: Duration,
    /// The last of them.
    last: EngineError,
    /// ClickHouse's own log of errors.
    log: String,
}

/// The ends that still count.
struct Ends {
    restarts: Restarts,
    at: Vec<Instant>,
}

impl Ends {
    /// Counts one more, and says how long to wait before the next start, if there is to be one.
    fn count(&mut self, now: Instant) -> Option<Duration> {
        self.at.retain(|end| now.saturating_duration_since(*end) < self.restarts.window);
        let before = self.number();
        self.at.push(now);
        (before < self.restarts.most).then(|| self.restarts.pause.saturating_mul(2_u32.saturating_pow(before)))
    }

    fn number(&self) -> u32 {
        u32::try_from(self.at.len()).unwrap_or(u32::MAX)
    }
}

impl Engine {
    /// Starts the engine again whenever it ends by itself, and logs each end in one line. Returns when it ended too
    /// often. Can be dropped at any time, to [`stop`](Engine::stop) the engine for instance.
    pub async fn keep_running(&mut self, restarts: Restarts) -> GaveUp {
        let mut ends = Ends { restarts, at: Vec::new() };
        let mut end = self.end().await;
        loop {
            let log = self.error_log();
            let Some(pause) = ends.count(Instant::now()) else {
                let (times, window) = (ends.number(), ends.restarts.window);
                return GaveUp { times, window, last: end, log: log.display().to_string() };
            };
            tracing::error!(
                "embedded ClickHouse: {}. What ClickHouse logged is in {}. It is started again in {pause:?}, on the same port \
                 and data; if it ends again, give it more memory or ask less of it at a time",
                in_one_line(&end),
                log.display()
            );
            tokio::time::sleep(pause).await;
            end = match self.restart().await {
                Ok(()) => self.end().await,
                Err(error) => error,
            };
        }
    }
}

fn in_one_line(error: &EngineError) -> String {
    error.to_string().replace(":\n", ": ").replace('\n', " | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_and_what_is_long_ago_is_forgotten() {
        let mut ends = Ends { restarts: Restarts::default(), at: Vec::new() };
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let pauses: Vec<_> = (0..6).map(|second| ends.count(at(second)).map(|pause| pause.as_millis())).collect();
        assert_eq!(pauses, [Some(500), Some(1000), Some(2000), Some(4000), Some(8000), None]);
        // Those of the seconds 2 to 5 still count, then none.
        assert_eq!(ends.count(at(601)), Some(Duration::from_secs(8)));
        assert_eq!(ends.count(at(10_000)), Some(Duration::from_millis(500)));
    }

    #[test]
    fn what_an_engine_said_is_one_line_of_the_log() {
        let status = std::os::unix::process::ExitStatusExt::from_raw(9);
        let end = EngineError::Ended { status, log: "one\ntwo".to_owned() };
        let expected = "the engine ended by itself (signal: 9 (SIGKILL)); its last lines: one | two";
        assert_eq!(in_one_line(&end), expected);
    }
}
