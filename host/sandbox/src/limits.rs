//! What one call may use.

use std::time::Duration;

use serde::Serialize;
use wasmtime::ResourceLimiter;

use chm_manifest::Role;

/// Limits of the calls of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RoleLimits {
    /// Bytes, summed over all memories and tables of the call's instance.
    pub memory_bytes: usize,
    /// Time on a processor, excluding waits for the host.
    pub cpu: Duration,
    /// Time on the clock, including waits for the host.
    pub wall: Duration,
    /// Calls at once.
    pub concurrency: usize,
    /// How long a further call waits for a place before it is `busy`.
    pub queue_wait: Duration,
}

/// Limits of a plugin, per role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// `authenticate`.
    pub auth_provider: RoleLimits,
    /// `plan`, `fetch`, `transform`.
    pub panels: RoleLimits,
    /// `deliver`.
    pub alert_sink: RoleLimits,
    /// `call`.
    pub toolset: RoleLimits,
    /// `preview`, `run`.
    pub actions: RoleLimits,
}

const MIB: usize = 1 << 20;

const fn role(memory_mib: usize, cpu_ms: u64, wall_ms: u64, concurrency: usize) -> RoleLimits {
    RoleLimits {
        memory_bytes: memory_mib * MIB,
        cpu: Duration::from_millis(cpu_ms),
        wall: Duration::from_millis(wall_ms),
        concurrency,
        queue_wait: Duration::from_millis(500),
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            auth_provider: role(16, 50, 250, 32),
            panels: role(64, 500, 5_000, 8),
            alert_sink: role(32, 200, 10_000, 4),
            toolset: role(128, 2_000, 30_000, 4),
            actions: role(64, 2_000, 30_000, 4),
        }
    }
}

impl Limits {
    /// The limits of `role`.
    #[must_use]
    pub fn of(&self, role: Role) -> &RoleLimits {
        match role {
            Role::AuthProvider => &self.auth_provider,
            Role::Panels => &self.panels,
            Role::AlertSink => &self.alert_sink,
            Role::Toolset => &self.toolset,
            Role::Actions => &self.actions,
        }
    }

    /// The limits of `role`, to change them.
    pub fn of_mut(&mut self, role: Role) -> &mut RoleLimits {
        match role {
            Role::AuthProvider => &mut self.auth_provider,
            Role::Panels => &mut self.panels,
            Role::AlertSink => &mut self.alert_sink,
            Role::Toolset => &mut self.toolset,
            Role::Actions => &mut self.actions,
        }
    }
}

/// Returned through wasmtime when a guest asks for more memory than it may have.
#[derive(Debug, thiserror::Error)]
#[error("more than {limit_bytes} bytes of memory asked for")]
pub(crate) struct MemoryExceeded {
    pub limit_bytes: usize,
}

/// Sums what all memories and tables of a store hold; wasmtime's own limiter counts each apart.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit_bytes: usize,
    used_bytes: usize,
}

/// Bytes wasmtime keeps per table element.
const TABLE_ELEMENT_BYTES: usize = 16;

impl MemoryBudget {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, used_bytes: 0 }
    }

    fn take(&mut self, current: usize, desired: usize) -> wasmtime::Result<bool> {
        let wanted = self.used_bytes.saturating_add(desired.saturating_sub(current));
        if wanted > self.limit_bytes {
            return Err(wasmtime::Error::new(MemoryExceeded { limit_bytes: self.limit_bytes }));
        }
        self.used_bytes = wanted;
        Ok(true)
    }
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.take(current, desired)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.take(current.saturating_mul(TABLE_ELEMENT_BYTES), desired.saturating_mul(TABLE_ELEMENT_BYTES))
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_budget() {
        let mut budget = MemoryBudget::new(1000);
        assert!(budget.memory_growing(0, 600, None).is_ok());
        assert!(budget.table_growing(0, 20, None).is_ok());
        assert!(budget.memory_growing(600, 700, None).is_err());
        assert!(budget.memory_growing(600, 680, None).is_ok());
    }
}
