//! What it costs to ask a plugin who sends a request, in a fresh instance, compared with the same component without this
//! crate around it, and with the same decision in native code. Figures and what they mean: `docs/performance.md`.
//!
//! `cargo bench -p chm-sandbox`

// clippy.toml allows these in tests; a bench is none.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod bare;
mod native;
mod ratios;
mod request;
mod trusted;

use std::sync::Arc;

use chm_sandbox::bindings::auth_provider::Verdict;
use chm_sandbox::{Sandbox, SandboxOptions};
use criterion::Criterion;
use tokio::runtime::{Builder, Runtime};

use bare::Bare;
use request::{Request, SUBJECT};
use trusted::Trusted;

const GROUP: &str = "authenticate";
const PLUGIN: &str = "plugin";
const BARE: &str = "bare wasmtime";
const STOCK: &str = "bare wasmtime, stock settings";
const NATIVE: &str = "native";

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let trusted = Trusted::built();
    let request = Arc::new(Request::from_the_proxy());
    let sandbox = Sandbox::new(&SandboxOptions::default()).expect("an engine");
    let plugin = runtime.block_on(trusted.load(&sandbox));
    let bare = Bare::new(sandbox.engine(), &trusted);
    let stock = Bare::new(&bare::stock_engine(), &trusted);

    // What does not sign the person in is not worth measuring.
    signs_in(&runtime.block_on(plugin.authenticate(request.scope(), &request.head)).expect("a verdict"));
    signs_in(&runtime.block_on(bare.authenticate(&request)));
    signs_in(&runtime.block_on(stock.authenticate(&request)));
    signs_in(&native::authenticate(&trusted.settings, &*request, &request.head));

    let output = ratios::folder();
    let mut criterion = Criterion::default().output_directory(&output).configure_from_args();
    let mut group = criterion.benchmark_group(GROUP);
    let on = |name, bencher: &mut criterion::Bencher<'_>, runtime: &Runtime| match name {
        PLUGIN => bencher.to_async(runtime).iter(async || plugin.authenticate(request.scope(), &request.head).await),
        BARE => bencher.to_async(runtime).iter(async || bare.authenticate(&request).await),
        STOCK => bencher.to_async(runtime).iter(async || stock.authenticate(&request).await),
        _ => bencher.iter(|| native::authenticate(&trusted.settings, &*request, &request.head)),
    };
    for name in [PLUGIN, BARE, STOCK, NATIVE] {
        group.bench_function(name, |bencher| on(name, bencher, &runtime));
    }
    group.finish();
    criterion.final_summary();
    ratios::print(&output.join(GROUP), PLUGIN, &[BARE, STOCK, NATIVE]);
}

fn signs_in(verdict: &Verdict) {
    assert!(matches!(verdict, Verdict::Authenticated(person) if person.subject == SUBJECT), "{verdict:?}");
}
