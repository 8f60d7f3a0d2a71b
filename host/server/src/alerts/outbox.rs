//! The queues at work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chm_sandbox::bindings::alert_sink::{Alert, Receipt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::answer::DeliveryError;
use super::ledger::{Counts, Entry, Ledger, OutboxOptions, Step};
use super::ticket::Ticket;

/// Why an alert was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboxError {
    /// No sink of that name.
    #[error("no alert sink is called `{0}`; load a plugin with the role alert-sink under that name")]
    NoSuchSink(String),
    /// The sink has not taken anything for long.
    #[error("{capacity} alerts wait for the sink `{sink}` already; no more are taken until it delivers some")]
    Full {
        /// The sink.
        sink: String,
        /// Most that wait.
        capacity: usize,
    },
}

/// Alerts on their way: one queue and one worker per sink. In memory, so alerts that wait are lost when the process ends.
pub struct Outbox {
    ledger: Arc<Mutex<Ledger>>,
    sinks: Mutex<BTreeMap<String, Sink>>,
}

struct Sink {
    wake: Arc<Notify>,
    stop: CancellationToken,
    worker: JoinHandle<()>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Without sinks.
    #[must_use]
    pub fn new(options: OutboxOptions) -> Self {
        Self { ledger: Arc::new(Mutex::new(Ledger::new(options))), sinks: Mutex::default() }
    }

    /// Gives a sink its worker. `deliver` makes one attempt; see [`super::classify`]. A worker that the sink had is replaced: it
    /// finishes the attempt it is making, and the queue stays.
    ///
    /// Must be called inside a tokio runtime.
    pub fn add_sink<F, D>(&self, name: &str, deliver: D)
    where
        D: Fn(Arc<Alert>) -> F + Send + 'static,
        F: Future<Output = Result<Receipt, DeliveryError>> + Send + 'static,
    {
        let mut sinks = lock(&self.sinks);
        let before = sinks.remove(name).map(|sink| {
            sink.stop.cancel();
            sink.worker
        });
        let wake = Arc::new(Notify::new());
        let stop = CancellationToken::new();
        let worker =
            Worker { sink: name.to_owned(), ledger: self.ledger.clone(), wake: wake.clone(), stop: stop.clone() };
        let worker = tokio::spawn(async move {
            if let Some(before) = before {
                // Two attempts for one alert at a time would deliver it twice.
                let _ = before.await;
            }
            worker.run(deliver).await;
        });
        sinks.insert(name.to_owned(), Sink { wake, stop, worker });
    }

    /// Stops a sink's worker. Its alerts wait until it is added again, or become too old.
    pub fn remove_sink(&self, name: &str) {
        if let Some(sink) = lock(&self.sinks).remove(name) {
            sink.stop.cancel();
        }
    }

    /// Names of the sinks.
    #[must_use]
    pub fn sinks(&self) -> Vec<String> {
        lock(&self.sinks).keys().cloned().collect()
    }

    /// Appends an alert to a sink's queue.
    ///
    /// # Errors
    /// When there is no such sink, or its queue is full.
    pub fn enqueue(&self, sink: &str, alert: Alert) -> Result<Ticket, OutboxError> {
        let sinks = lock(&self.sinks);
        let known = sinks.get(sink).ok_or_else(|| OutboxError::NoSuchSink(sink.to_owned()))?;
        let mut ledger = lock(&self.ledger);
        let ticket = ledger
            .append(sink, alert, Instant::now())
            .ok_or_else(|| OutboxError::Full { sink: sink.to_owned(), capacity: ledger.options().capacity })?;
        known.wake.notify_one();
        Ok(ticket)
    }

    /// All that wait, oldest first, then the newest that do not.
    #[must_use]
    pub fn state(&self) -> Vec<Entry> {
        lock(&self.ledger).entries()
    }

    /// How many stand where.
    #[must_use]
    pub fn counts(&self) -> Counts {
        lock(&self.ledger).counts()
    }

    /// Stops all workers, and waits up to `timeout` for the attempts they are making. Returns how many alerts are lost.
    pub async fn shutdown(&self, timeout: Duration) -> usize {
        let sinks = std::mem::take(&mut *lock(&self.sinks));
        let workers = sinks.into_values().map(|sink| {
            sink.stop.cancel();
            sink.worker
        });
        // An error says that time is up, which the caller accepted.
        let _ = tokio::time::timeout(timeout, futures::future::join_all(workers)).await;
        let lost = self.counts().pending;
        if lost > 0 {
            tracing::warn!(lost, "alerts were still waiting when the outbox stopped");
        }
        lost
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        lock(&self.sinks).values().for_each(|sink| sink.stop.cancel());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker {
    sink: String,
    ledger: Arc<Mutex<Ledger>>,
    wake: Arc<Notify>,
    stop: CancellationToken,
}

impl Worker {
    async fn run<F, D>(self, deliver: D)
    where
        D: Fn(Arc<Alert>) -> F,
        F: Future<Output = Result<Receipt, DeliveryError>> + Send + 'static,
    {
        let limit = lock(&self.ledger).options().attempt_timeout;
        while !self.stop.is_cancelled() {
            let step = lock(&self.ledger).next(&self.sink, Instant::now());
            match step {
                Step::Idle => self.unless_stopped(self.wake.notified()).await,
                Step::Until(due) => self.unless_stopped(tokio::time::sleep_until(due)).await,
                Step::Deliver(id, alert) => {
                    let answer = attempt(deliver(alert), limit).await;
                    lock(&self.ledger).record(&self.sink, id, answer, Instant::now());
                }
            }
        }
    }

    async fn unless_stopped(&self, wait: impl Future<Output = ()>) {
        tokio::select! {
            () = wait => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// In a task of its own: a panic in it must not take the sink's worker along.
async fn attempt<F>(delivery: F, limit: Duration) -> Result<Receipt, DeliveryError>
where
    F: Future<Output = Result<Receipt, DeliveryError>> + Send + 'static,
{
    match tokio::spawn(tokio::time::timeout(limit, delivery)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(DeliveryError::later(format!("the attempt took longer than {} s", limit.as_secs()))),
        Err(_) => Err(DeliveryError::later("the attempt was cut short by a fault of the host")),
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
