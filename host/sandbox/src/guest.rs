//! The state behind one running guest.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::grants::Grants;
use crate::imports::one_line;
use crate::kv::KvStore;
use crate::limits::MemoryBudget;
use crate::meter::CpuMeter;
use crate::services::CallScope;

/// What all calls of a plugin share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub id: String,
    pub grants: Grants,
    /// Checked and canonical values of the settings that are no secrets.
    pub settings: BTreeMap<String, String>,
    pub kv: KvStore,
}

/// Bytes of standard output and error kept per call.
const STDIO_BYTES: usize = 16 << 10;

/// Most bytes of entropy that a component with WASI gets at once.
const RANDOM_BYTES: u64 = 64 << 10;

/// Most streams, clocks and the like that a component with WASI holds at once; stock toolchains hold a few dozen.
const HANDLES: usize = 1_024;

/// Log lines a call may write; further ones are counted.
pub(crate) const LOG_LINES: u32 = 64;

/// The store's data: lives for one call.
pub(crate) struct Guest {
    pub shared: Arc<Shared>,
    pub scope: CallScope,
    pub budget: MemoryBudget,
    pub meter: Arc<CpuMeter>,
    pub log_lines: u32,
    wasi: Option<Wasi>,
}

struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    stdio: MemoryOutputPipe,
}

impl Guest {
    pub(crate) fn new(
        shared: Arc<Shared>,
        scope: CallScope,
        budget: MemoryBudget,
        meter: Arc<CpuMeter>,
        uses_wasi: bool,
    ) -> Self {
        Self { shared, scope, budget, meter, log_lines: 0, wasi: uses_wasi.then(Wasi::empty) }
    }

    /// Moves what the guest printed, and how many lines it lost, to the log.
    pub(crate) fn flush_log(&mut self) {
        if let Some(wasi) = &self.wasi {
            let printed = wasi.stdio.contents();
            for line in String::from_utf8_lossy(&printed).lines().take(LOG_LINES as usize) {
                let line = one_line(line);
                tracing::info!(target: "plugin", plugin = %self.shared.id, request_id = %self.scope.request_id, "{line}");
            }
        }
        if self.log_lines > LOG_LINES {
            tracing::warn!(
                target: "plugin", plugin = %self.shared.id, request_id = %self.scope.request_id,
                dropped = self.log_lines - LOG_LINES, "log lines beyond the limit of one call were dropped"
            );
        }
    }
}

impl Wasi {
    /// No files, no sockets, no environment, no arguments; output goes to the log.
    fn empty() -> Self {
        let stdio = MemoryOutputPipe::new(STDIO_BYTES);
        let context = WasiCtx::builder()
            .stdout(stdio.clone())
            .stderr(stdio.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(RANDOM_BYTES)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self { context, table, stdio }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // The linker holds WASI only for components that import it, and those were made with a context; a component
        // without one gets an equally empty one rather than a panic.
        let wasi = self.wasi.get_or_insert_with(Wasi::empty);
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}
