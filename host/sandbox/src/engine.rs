//! The wasmtime engine all plugins share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::LoadError;

/// How often a running guest gives way to others and has its limits checked.
const TICK: Duration = Duration::from_millis(2);

/// Instances that may live at once, over all plugins. Each plugin's own concurrency limits come first.
const INSTANCES: u32 = 256;

/// Largest linear memory; each call's own budget is far smaller.
const MAX_MEMORY_BYTES: usize = 512 << 20;

/// Options of a [`Sandbox`].
#[derive(Debug, Clone, Default)]
pub struct SandboxOptions {
    /// Folder for compiled code; absent: nothing is kept.
    pub cache_dir: Option<PathBuf>,
}

/// Compiles and runs components. One per process; dropping it ends its ticker thread.
pub struct Sandbox {
    engine: Engine,
    stopping: Arc<AtomicBool>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Makes the engine and starts its ticker.
    ///
    /// # Errors
    /// When this machine cannot run wasmtime as configured, or the cache folder cannot be made.
    pub fn new(options: &SandboxOptions) -> Result<Self, LoadError> {
        let engine = Engine::new(&configuration(options)?).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let (ticked, stop) = (engine.weak(), stopping.clone());
        std::thread::Builder::new()
            .name("plugin-epochs".into())
            .spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(TICK);
                    match ticked.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => return,
                    }
                }
            })
            .map_err(|error| LoadError::Compile(format!("no ticker thread: {error}")))?;
        Ok(Self { engine, stopping })
    }

    /// The engine itself: for measuring what this crate adds to it.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Compiles, or takes the code from the cache.
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        Component::from_binary(&self.engine, bytes).map_err(|error| LoadError::Compile(format!("{error:#}")))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

fn configuration(options: &SandboxOptions) -> Result<Config, LoadError> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // Bounds are checked by the guest's code, not by the processor. Guard pages have to be moved whenever a guest asks for memory,
    // and back for the next one: two system calls that interrupt every other processor, a third of the time of a short call.
    // In return loops over memory take up to 1.4 times as long (docs/performance.md).
    config.signals_based_traps(false).memory_guard_size(0);
    // The names of a guest's functions belong into the log, not its addresses.
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    let mut pool = PoolingAllocationConfig::default();
    // Guests made from Python bring some thirty core instances and tables each.
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES * 16)
        .total_memories(INSTANCES * 2)
        .total_tables(INSTANCES * 16)
        .total_stacks(INSTANCES)
        .max_memories_per_component(8)
        .max_tables_per_component(64)
        .max_core_instances_per_component(64)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        .table_elements(100_000)
        .max_memory_size(MAX_MEMORY_BYTES)
        // Together these make a fresh instance cheaper than unmapping its pages would be.
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(64);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    if let Some(dir) = &options.cache_dir {
        let mut cache = CacheConfig::new();
        cache.with_directory(dir);
        let cache = Cache::new(cache).map_err(|error| {
            LoadError::Compile(format!("the code cache in {} cannot be used: {error:#}", dir.display()))
        })?;
        config.cache(Some(cache));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use wasmtime::{Instance, Module, Store, Trap, TypedFunc};

    use super::*;

    /// Memory of one page; `write` asks for two more first.
    const GUEST: &str = r#"(module
        (memory 1)
        (func (export "write") (param $at i32)
            (drop (memory.grow (i32.const 2)))
            (i32.store8 (local.get $at) (i32.const 7)))
        (func (export "grow") (param $pages i32) (drop (memory.grow (local.get $pages))))
        (func (export "read") (param $at i32) (result i32) (i32.load8_u (local.get $at))))"#;

    #[test]
    fn a_fresh_instance_sees_nothing_of_the_one_before_and_ends_where_its_memory_does() {
        let sandbox = Sandbox::new(&SandboxOptions::default()).unwrap();
        let module = Module::new(sandbox.engine(), GUEST).unwrap();
        for at in [0, 65_535, 65_536, 3 * 65_536 - 1] {
            let mut store = Store::new(sandbox.engine(), ());
            store.set_epoch_deadline(u64::MAX / 2);
            let first = Instance::new(&mut store, &module, &[]).unwrap();
            first.get_typed_func::<i32, ()>(&mut store, "write").unwrap().call(&mut store, at).unwrap();
            drop(store);

            let mut store = Store::new(sandbox.engine(), ());
            store.set_epoch_deadline(u64::MAX / 2);
            let next = Instance::new(&mut store, &module, &[]).unwrap();
            let read: TypedFunc<i32, i32> = next.get_typed_func(&mut store, "read").unwrap();
            for outside in [65_536, 3 * 65_536 - 1, i32::MAX, -1] {
                let error = read.call(&mut store, outside).unwrap_err();
                assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds), "{outside}");
            }
            next.get_typed_func::<i32, ()>(&mut store, "grow").unwrap().call(&mut store, 2).unwrap();
            assert_eq!(read.call(&mut store, at).unwrap(), 0, "{at}");
        }
    }
}
