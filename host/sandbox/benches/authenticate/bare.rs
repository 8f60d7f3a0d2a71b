//! The same component, called by wasmtime with nothing around it: no limits, no meter, no queue, no scope.

use std::collections::BTreeMap;
use std::sync::Arc;

use chm_sandbox::Services;
use chm_sandbox::bindings::auth_provider::Verdict;
use chm_sandbox::bindings::auth_world::AuthProviderPluginPre;
use chm_sandbox::bindings::secrets::SecretError;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreContextMut};

use crate::request::Request;
use crate::trusted::Trusted;

/// What host functions need.
struct State {
    settings: Arc<BTreeMap<String, String>>,
    request: Arc<Request>,
}

/// The component, ready to be instantiated.
pub struct Bare {
    engine: Engine,
    settings: Arc<BTreeMap<String, String>>,
    pre: AuthProviderPluginPre<State>,
}

/// What wasmtime's documentation says to begin with when many short-lived instances are wanted.
pub fn stock_engine() -> Engine {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(PoolingAllocationConfig::default()));
    Engine::new(&config).expect("an engine")
}

impl Bare {
    /// Links the functions that the plugin calls on its way; any other ends the call.
    pub fn new(engine: &Engine, trusted: &Trusted) -> Self {
        let component = Component::from_binary(engine, &trusted.bytes).expect("a component");
        let mut linker = Linker::<State>::new(engine);
        linker.define_unknown_imports_as_traps(&component).expect("a linker");
        linker.allow_shadowing(true);
        let linked = link(&mut linker);
        linked.expect("the functions of the plugin's interfaces");
        let pre = linker.instantiate_pre(&component).and_then(AuthProviderPluginPre::new).expect("a linked component");
        Self { engine: engine.clone(), settings: Arc::new(trusted.settings.clone()), pre }
    }

    /// One call in a fresh instance.
    pub async fn authenticate(&self, request: &Arc<Request>) -> Verdict {
        let mut store = Store::new(&self.engine, State { settings: self.settings.clone(), request: request.clone() });
        // Code compiled to be interrupted asks for a deadline; this one is never reached.
        store.set_epoch_deadline(u64::MAX / 2);
        let world = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let guest = world.chm_plugin_auth_provider();
        guest.call_authenticate(&mut store, &request.head).await.expect("an answer").expect("a verdict")
    }
}

fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    type In<'a> = StoreContextMut<'a, State>;
    linker
        .instance("chm:plugin/config@0.1.0")?
        .func_wrap("get", |store: In<'_>, (name,): (String,)| Ok((store.data().settings.get(&name).cloned(),)))?;
    let mut secrets = linker.instance("chm:plugin/secrets@0.1.0")?;
    secrets.func_wrap("is-set", |store: In<'_>, (name,): (String,)| {
        Ok((Ok::<_, SecretError>(store.data().request.secret_is_set(&name)),))
    })?;
    secrets.func_wrap("header-present", |store: In<'_>, (header,): (String,)| {
        Ok((store.data().request.header_present(&header),))
    })?;
    secrets.func_wrap("header-equals", |store: In<'_>, (name, header): (String, String)| {
        Ok((store.data().request.secret_header_equals(&name, &header),))
    })
}
