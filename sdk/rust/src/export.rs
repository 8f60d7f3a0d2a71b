//! The macro that makes a crate a plugin.

/// Exports the roles of a plugin: `export!(auth_provider: Trusted);`, or several at once:
/// `export!(panels: Tables, toolset: Tools);`.
///
/// Roles are `auth_provider`, `panels`, `alert_sink`, `toolset` and `actions`; each names a type with the trait of the same name.
/// Compiled natively, the macro only checks that the types have those traits.
#[macro_export]
macro_rules! export {
    ($($role:ident: $plugin:ident),+ $(,)?) => {
        $($crate::__export_role!($role $plugin);)+
    };
}

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    (auth_provider $plugin:ident) => {
        $crate::bindings::auth_provider::export_auth_provider!($plugin);
    };
    (panels $plugin:ident) => {
        $crate::bindings::panels::export_panels!($plugin);
    };
    (alert_sink $plugin:ident) => {
        $crate::bindings::alert_sink::export_alert_sink!($plugin);
    };
    (toolset $plugin:ident) => {
        $crate::bindings::toolset::export_toolset!($plugin);
    };
    (actions $plugin:ident) => {
        $crate::bindings::actions::export_actions!($plugin);
    };
    ($role:ident $plugin:ident) => {
        $crate::__unknown_role!($role);
    };
}

#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    (auth_provider $plugin:ident) => {
        const _: fn() = $crate::__private::auth_provider::<$plugin>;
    };
    (panels $plugin:ident) => {
        const _: fn() = $crate::__private::panels::<$plugin>;
    };
    (alert_sink $plugin:ident) => {
        const _: fn() = $crate::__private::alert_sink::<$plugin>;
    };
    (toolset $plugin:ident) => {
        const _: fn() = $crate::__private::toolset::<$plugin>;
    };
    (actions $plugin:ident) => {
        const _: fn() = $crate::__private::actions::<$plugin>;
    };
    ($role:ident $plugin:ident) => {
        $crate::__unknown_role!($role);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __unknown_role {
    ($role:ident) => {
        compile_error!(concat!(
            "`",
            stringify!($role),
            "` is no role; the roles are auth_provider, panels, alert_sink, toolset and actions"
        ));
    };
}

/// What the macro names natively: each function exists only for a type with the role's trait.
#[cfg(not(target_arch = "wasm32"))]
pub mod private {
    /// Checks a role.
    pub fn auth_provider<T: crate::AuthProvider>() {}
    /// Checks a role.
    pub fn panels<T: crate::Panels>() {}
    /// Checks a role.
    pub fn alert_sink<T: crate::AlertSink>() {}
    /// Checks a role.
    pub fn toolset<T: crate::Toolset>() {}
    /// Checks a role.
    pub fn actions<T: crate::Actions>() {}
}
