//! Types and glue generated from `wit/`.
//!
//! One module per role world; all share the imported interfaces of [`host`].

#![allow(missing_docs)]

/// The interfaces a guest may import.
pub mod host {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "host-interfaces",
        // What answers at once is called at once: a function that may wait costs each of its calls a future of its own.
        imports: {
            "chm:plugin/clickhouse.hosts": async,
            "chm:plugin/clickhouse.read": async,
            "chm:plugin/control.kill-query": async,
            "chm:plugin/control.optimize-table": async,
            "chm:plugin/http.send": async,
            "chm:plugin/secrets.basic": async,
            "chm:plugin/jwt.verify": async,
            "chm:plugin/jwt.verify-sent": async,
        },
        exports: { default: async },
        require_store_data_send: true,
    });
}

pub use host::chm::plugin::{clickhouse, clock, config, control, http, jwt, kv, log, random, secrets, types};

macro_rules! role_world {
    ($module:ident, $world:literal) => {
        pub mod $module {
            wasmtime::component::bindgen!({
                path: "../../wit",
                world: $world,
                exports: { default: async },
                require_store_data_send: true,
                with: {
                    "chm:plugin/types": super::types,
                    "chm:plugin/clickhouse": super::clickhouse,
                    "chm:plugin/control": super::control,
                    "chm:plugin/http": super::http,
                    "chm:plugin/secrets": super::secrets,
                    "chm:plugin/jwt": super::jwt,
                    "chm:plugin/kv": super::kv,
                    "chm:plugin/config": super::config,
                    "chm:plugin/clock": super::clock,
                    "chm:plugin/random": super::random,
                    "chm:plugin/log": super::log,
                },
            });
        }
    };
}

role_world!(auth_world, "auth-provider-plugin");
role_world!(panels_world, "panels-plugin");
role_world!(sink_world, "alert-sink-plugin");
role_world!(toolset_world, "toolset-plugin");
role_world!(actions_world, "actions-plugin");

pub use actions_world::exports::chm::plugin::actions;
pub use auth_world::exports::chm::plugin::auth_provider;
pub use panels_world::exports::chm::plugin::panels;
pub use sink_world::exports::chm::plugin::alert_sink;
pub use toolset_world::exports::chm::plugin::toolset;
