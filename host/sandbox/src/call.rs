//! Runs one call: a place, a fresh store, three limits, one outcome.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use chm_manifest::Role;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument;
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::error::CallError;
use crate::guest::{Guest, Shared};
use crate::limits::{MemoryBudget, MemoryExceeded, RoleLimits};
use crate::meter::{CpuExceeded, CpuMeter};
use crate::services::CallScope;

/// Everything a call needs besides what it does.
pub(crate) struct Frame<'p> {
    pub engine: &'p Engine,
    pub role: Role,
    pub shared: &'p Arc<Shared>,
    pub limits: &'p RoleLimits,
    pub places: &'p Semaphore,
    pub uses_wasi: bool,
}

impl Frame<'_> {
    /// Runs `body` in a fresh store.
    pub(crate) async fn run<T>(
        &self,
        scope: CallScope,
        body: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let _place = self.place().await?;
        let meter = Arc::new(CpuMeter::new(self.limits.cpu));
        let guest = Guest::new(
            self.shared.clone(),
            scope,
            MemoryBudget::new(self.limits.memory_bytes),
            meter.clone(),
            self.uses_wasi,
        );
        let mut store = Store::new(self.engine, guest);
        store.limiter(|guest| &mut guest.budget);
        // What it hands over at once: a list of a million names may be one name in its memory, and is a million here.
        store.set_hostcall_fuel(self.limits.memory_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            context.data().meter.check().map_err(wasmtime::Error::new)?;
            // Yielding lets other requests on, and lets the wall clock below have its say.
            Ok(UpdateDeadline::Yield(1))
        });
        let began = tracing::enabled!(target: "plugin", tracing::Level::TRACE).then(Instant::now);
        let span = tracing::info_span!("plugin_call", plugin = %self.shared.id, role = %self.role);
        let outcome = {
            // Pinned here once: the future of a call is large, and each wrapper that took it by value would move it.
            let call = pin!(body(&mut store).instrument(span));
            tokio::time::timeout(self.limits.wall, meter.meter(call)).await
        };
        store.data_mut().flush_log();
        if let Some(began) = began {
            tracing::trace!(
                target: "plugin", plugin = %self.shared.id, wall_us = began.elapsed().as_micros() as u64,
                cpu_us = meter.used().as_micros() as u64, "call ended"
            );
        }
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(CallError::Wall { limit: self.limits.wall }),
        }
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, CallError> {
        if let Ok(permit) = self.places.try_acquire() {
            return Ok(permit);
        }
        let busy = CallError::Busy { concurrency: self.limits.concurrency };
        match tokio::time::timeout(self.limits.queue_wait, self.places.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(busy),
        }
    }
}

fn classify(error: &wasmtime::Error) -> CallError {
    if let Some(exceeded) = error.downcast_ref::<MemoryExceeded>() {
        return CallError::Memory { limit_bytes: exceeded.limit_bytes };
    }
    if let Some(exceeded) = error.downcast_ref::<CpuExceeded>() {
        return CallError::Cpu { limit: exceeded.limit };
    }
    // The root cause is the trap; the chain above it is a backtrace of the guest's function names.
    CallError::Trap(error.root_cause().to_string())
}
