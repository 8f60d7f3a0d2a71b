//! What is known about each alert. No I/O, no clock, no waiting: callers say what time it is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chm_sandbox::bindings::alert_sink::{Alert, Receipt};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::DeliveryError;
use super::backoff::Backoff;
use super::ticket::{Outcome, Ticket};

/// For an age that the clock cannot express.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Limits of an outbox.
#[derive(Debug, Clone)]
pub struct OutboxOptions {
    /// Most alerts of one sink that wait; more are refused.
    pub capacity: usize,
    /// Most delivered or failed alerts that are remembered, of all sinks together.
    pub history: usize,
    /// Pauses between attempts.
    pub backoff: Backoff,
    /// Most attempts for one alert.
    pub max_attempts: u32,
    /// An alert that waited longer is given up: nobody is helped by yesterday's.
    pub max_age: Duration,
    /// An attempt that takes longer counts as failed. Longer than a sink's own limit, which is the better judge.
    pub attempt_timeout: Duration,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            capacity: 1000,
            history: 200,
            backoff: Backoff::default(),
            max_attempts: 100,
            max_age: Duration::from_secs(6 * 3600),
            attempt_timeout: Duration::from_secs(60),
        }
    }
}

/// One alert and where it stands.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Counts up from 1.
    pub id: u64,
    /// The sink it is for.
    pub sink: String,
    /// The alert.
    pub alert: Arc<Alert>,
    /// When it was enqueued.
    pub enqueued_at: SystemTime,
    /// Attempts so far.
    pub attempts: u32,
    /// Where it stands.
    pub state: EntryState,
}

/// Where an alert stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// It waits for its first or next attempt.
    Pending {
        /// Why the last attempt failed; absent before the first.
        reason: Option<String>,
    },
    /// The sink took it.
    Delivered {
        /// What the receiver called it.
        reference: Option<String>,
        /// When.
        at: SystemTime,
    },
    /// It was given up.
    Failed {
        /// Why.
        reason: String,
        /// When.
        at: SystemTime,
    },
}

/// How many alerts stand where; the last two among those remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// They wait.
    pub pending: usize,
    /// Delivered.
    pub delivered: usize,
    /// Given up.
    pub failed: usize,
}

/// What a sink's worker does next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Nothing waits.
    Idle,
    /// Wait until then.
    Until(Instant),
    /// Deliver this one now.
    Deliver(u64, Arc<Alert>),
}

struct Waiting {
    entry: Entry,
    due: Instant,
    expires: Instant,
    outcome: watch::Sender<Option<Outcome>>,
}

/// All alerts of an outbox.
pub struct Ledger {
    options: OutboxOptions,
    next_id: u64,
    /// Oldest first: a sink gets its alerts in order, so that a recovery never overtakes its alert.
    waiting: BTreeMap<String, VecDeque<Waiting>>,
    settled: VecDeque<Entry>,
}

impl Ledger {
    /// An empty one.
    #[must_use]
    pub fn new(options: OutboxOptions) -> Self {
        Self { options, next_id: 1, waiting: BTreeMap::new(), settled: VecDeque::new() }
    }

    /// Its limits.
    #[must_use]
    pub fn options(&self) -> &OutboxOptions {
        &self.options
    }

    /// Appends an alert to the queue of `sink`. `None`: the queue is full.
    pub fn append(&mut self, sink: &str, alert: Alert, now: Instant) -> Option<Ticket> {
        let queue = self.waiting.entry(sink.to_owned()).or_default();
        if queue.len() >= self.options.capacity {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        let (sender, receiver) = watch::channel(None);
        queue.push_back(Waiting {
            entry: Entry {
                id,
                sink: sink.to_owned(),
                alert: Arc::new(alert),
                enqueued_at: SystemTime::now(),
                attempts: 0,
                state: EntryState::Pending { reason: None },
            },
            due: now,
            expires: now.checked_add(self.options.max_age).unwrap_or_else(|| now + FOREVER),
            outcome: sender,
        });
        Some(Ticket { id, outcome: receiver })
    }

    /// What the worker of `sink` does next. Gives up alerts that have become too old.
    pub fn next(&mut self, sink: &str, now: Instant) -> Step {
        loop {
            let Some(head) = self.waiting.get(sink).and_then(|queue| queue.front()) else { return Step::Idle };
            if now >= head.expires {
                let last = match &head.entry.state {
                    EntryState::Pending { reason: Some(reason) } => format!("; the last attempt failed: {reason}"),
                    _ => String::new(),
                };
                let reason = format!("not delivered within {} s{last}", self.options.max_age.as_secs());
                let id = head.entry.id;
                self.settle(sink, id, Outcome::Failed { reason });
            } else if now >= head.due {
                return Step::Deliver(head.entry.id, head.entry.alert.clone());
            } else {
                return Step::Until(head.due.min(head.expires));
            }
        }
    }

    /// Records what an attempt came to.
    pub fn record(&mut self, sink: &str, id: u64, answer: Result<Receipt, DeliveryError>, now: Instant) {
        let Some(head) =
            self.waiting.get_mut(sink).and_then(|queue| queue.front_mut()).filter(|head| head.entry.id == id)
        else {
            return;
        };
        head.entry.attempts += 1;
        let attempts = head.entry.attempts;
        match answer {
            Ok(receipt) => self.settle(sink, id, Outcome::Delivered { reference: receipt.reference }),
            Err(DeliveryError::Permanent { reason }) => self.settle(sink, id, Outcome::Failed { reason }),
            Err(DeliveryError::Later { reason, .. }) if attempts >= self.options.max_attempts => {
                let reason = format!("given up after {attempts} attempts; the last one failed: {reason}");
                self.settle(sink, id, Outcome::Failed { reason });
            }
            Err(DeliveryError::Later { after, reason }) => {
                let delay = self.options.backoff.delay(attempts, after);
                head.due = now + delay;
                head.entry.state = EntryState::Pending { reason: Some(reason.clone()) };
                let retry_in_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                head.outcome.send_replace(Some(Outcome::Waiting { reason, retry_in_ms }));
            }
        }
    }

    fn settle(&mut self, sink: &str, id: u64, outcome: Outcome) {
        let Some(queue) = self.waiting.get_mut(sink) else { return };
        let Some(mut waiting) = queue.pop_front_if(|head| head.entry.id == id) else { return };
        let at = SystemTime::now();
        waiting.entry.state = match &outcome {
            Outcome::Delivered { reference } => EntryState::Delivered { reference: reference.clone(), at },
            Outcome::Failed { reason } | Outcome::Waiting { reason, .. } => {
                EntryState::Failed { reason: reason.clone(), at }
            }
        };
        let entry = &waiting.entry;
        match &outcome {
            Outcome::Delivered { .. } => tracing::info!(sink, rule = entry.alert.rule, "the alert was delivered"),
            Outcome::Failed { reason } | Outcome::Waiting { reason, .. } => {
                tracing::error!(sink, rule = entry.alert.rule, reason, "the alert was not delivered");
            }
        }
        self.settled.push_back(waiting.entry);
        while self.settled.len() > self.options.history {
            self.settled.pop_front();
        }
        waiting.outcome.send_replace(Some(outcome));
    }

    /// All that wait, oldest first, then the newest that do not.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<_> = self.waiting.values().flatten().map(|waiting| waiting.entry.clone()).collect();
        entries.sort_by_key(|entry| entry.id);
        entries.extend(self.settled.iter().rev().cloned());
        entries
    }

    /// How many stand where.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let delivered = self.settled.iter().filter(|entry| matches!(entry.state, EntryState::Delivered { .. })).count();
        Counts {
            pending: self.waiting.values().map(VecDeque::len).sum(),
            delivered,
            failed: self.settled.len() - delivered,
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
pub(crate) mod tests;
