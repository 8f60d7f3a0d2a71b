//! Counts the processor time of one call.
//!
//! Epochs alone measure the clock: a guest that waits 5 s for ClickHouse has used no processor. So the call's future is wrapped:
//! each `poll` runs on one thread, and that thread's own processor clock says what the guest used. The epoch callback asks the
//! meter on every tick.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Returned through wasmtime when the processor time is used up.
#[derive(Debug, thiserror::Error)]
#[error("more than {} ms of processor time used", limit.as_millis())]
pub(crate) struct CpuExceeded {
    pub limit: Duration,
}

/// Processor time of one call.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    limit: Duration,
    /// Nanoseconds of the polls that have ended.
    finished: AtomicU64,
    /// The thread's clock when the running poll began.
    poll_began: AtomicU64,
}

fn thread_clock() -> u64 {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map_or(0, |time| u64::try_from(Duration::from(time).as_nanos()).unwrap_or(u64::MAX))
}

impl CpuMeter {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, finished: AtomicU64::new(0), poll_began: AtomicU64::new(0) }
    }

    /// To be asked from within the metered future only.
    pub(crate) fn check(&self) -> Result<(), CpuExceeded> {
        let running = thread_clock().saturating_sub(self.poll_began.load(Ordering::Relaxed));
        if Duration::from_nanos(self.finished.load(Ordering::Relaxed) + running) > self.limit {
            return Err(CpuExceeded { limit: self.limit });
        }
        Ok(())
    }

    /// Time used by all polls that have ended.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.finished.load(Ordering::Relaxed))
    }

    /// Wraps the future whose polls are counted.
    pub(crate) fn meter<'a, F: Future>(&'a self, future: Pin<&'a mut F>) -> Metered<'a, F> {
        Metered { meter: self, future }
    }
}

/// A future whose polls are counted.
pub(crate) struct Metered<'a, F> {
    meter: &'a CpuMeter,
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_clock();
        self.meter.poll_began.store(began, Ordering::Relaxed);
        let outcome = self.future.as_mut().poll(context);
        self.meter.finished.fetch_add(thread_clock().saturating_sub(began), Ordering::Relaxed);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn waiting_uses_no_processor_time() {
        let meter = CpuMeter::new(Duration::from_millis(20));
        let waiting = pin!(async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            meter.check()
        });
        assert!(meter.meter(waiting).await.is_ok());
    }

    #[tokio::test]
    async fn computing_uses_it_up() {
        let meter = CpuMeter::new(Duration::from_millis(5));
        let computing = pin!(async {
            while meter.check().is_ok() {
                std::hint::black_box(());
            }
        });
        meter.meter(computing).await;
        assert!(meter.used() >= Duration::from_millis(5));
    }
}
