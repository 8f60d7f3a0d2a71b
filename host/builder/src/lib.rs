//! Turns a plugin's folder into one `.wasm` file.
//!
//! A plugin's folder holds `Cargo.toml`, `plugin.toml` and `src/`. [`Builder::build`] compiles it (or all plugins of a workspace, with one
//! cargo invocation) to `wasm32-unknown-unknown`, makes a component of it, refuses what imports WASI, puts the manifest in, and
//! writes `<out>/<id>.wasm` in one step. What has not changed is not built again.
//!
//! The compiler is, in this order: the one `CHM_GUEST_RUSTC` names; the default one where it has the target; one made from
//! Debian's packages and kept in the user's cache folder; else the error says the one command that adds the target.
//!
//! Nothing here runs a guest.

mod artifact;
mod build;
mod built_plugin;
mod cargo;
mod command;
mod component;
mod debian;
mod env;
mod error;
mod fingerprint;
mod inspect;
mod lock;
mod plugin_folder;
mod step;
mod template;
mod toolchain;

pub use build::Builder;
pub use built_plugin::BuiltPlugin;
pub use command::CommandError;
pub use component::disagreement;
pub use env::BuildEnv;
pub use error::BuildError;
pub use inspect::{InspectError, Inspection, inspect, wit_text};
pub use step::{Progress, Step};
pub use template::{NewPluginError, new_plugin};
pub use toolchain::{GUEST_RUSTC_VARIABLE, GuestCompiler, Origin, TARGET, ToolchainError};
