//! Code generated from `wit/`. Not part of the stable surface: use the modules beside it.
//!
//! One world holds the imports; each role is a world of its own that takes its types from there. A component only
//! carries the description of the roles whose macro it calls, so a guest with one role never has to export another.

/// Everything a guest may import, and the types that several interfaces share.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "host-interfaces",
        additional_derives: [Clone, PartialEq],
        // The principal, for one, is named by no import; the roles' worlds below take it from here.
        generate_unused_types: true,
    });
}

macro_rules! role {
    ($module:ident, $world:tt, $macro_name:tt, $path:tt) => {
        /// One role: its trait, its types and its export macro.
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit",
                world: $world,
                additional_derives: [Clone, PartialEq],
                generate_unused_types: true,
                pub_export_macro: true,
                export_macro_name: $macro_name,
                default_bindings_module: $path,
                with: {
                    "chm:plugin/types@0.1.0": crate::bindings::imports::chm::plugin::types,
                    "chm:plugin/clickhouse@0.1.0": crate::bindings::imports::chm::plugin::clickhouse,
                    "chm:plugin/control@0.1.0": crate::bindings::imports::chm::plugin::control,
                    "chm:plugin/http@0.1.0": crate::bindings::imports::chm::plugin::http,
                    "chm:plugin/secrets@0.1.0": crate::bindings::imports::chm::plugin::secrets,
                    "chm:plugin/jwt@0.1.0": crate::bindings::imports::chm::plugin::jwt,
                    "chm:plugin/kv@0.1.0": crate::bindings::imports::chm::plugin::kv,
                    "chm:plugin/config@0.1.0": crate::bindings::imports::chm::plugin::config,
                    "chm:plugin/clock@0.1.0": crate::bindings::imports::chm::plugin::clock,
                    "chm:plugin/random@0.1.0": crate::bindings::imports::chm::plugin::random,
                    "chm:plugin/log@0.1.0": crate::bindings::imports::chm::plugin::log,
                },
            });
        }
    };
}

role!(auth_provider, "auth-provider-plugin", "export_auth_provider", "chm_plugin::bindings::auth_provider");
role!(panels, "panels-plugin", "export_panels", "chm_plugin::bindings::panels");
role!(alert_sink, "alert-sink-plugin", "export_alert_sink", "chm_plugin::bindings::alert_sink");
role!(toolset, "toolset-plugin", "export_toolset", "chm_plugin::bindings::toolset");
role!(actions, "actions-plugin", "export_actions", "chm_plugin::bindings::actions");
