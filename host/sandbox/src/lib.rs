//! Runs plugins in a sandbox. The only crate that names wasmtime.
//!
//! A [`Sandbox`] compiles components; [`Plugin::load`] takes one through inspection (imports ⊆ grants), linking (only granted
//! interfaces exist in its linker) and probing (`describe` under tight limits). Every call then gets a fresh store with its own
//! memory, CPU and wall-clock limits, and a [`CallScope`] that says on whose behalf it runs.
//!
//! What a guest may reach beyond itself goes through [`Services`], which the server implements; this crate does no I/O of its
//! own and knows neither ClickHouse nor HTTP.

pub mod bindings;
mod call;
mod engine;
mod error;
mod grants;
mod guest;
mod imports;
mod inspect;
mod kv;
mod limits;
mod meter;
mod plugin;
mod services;

pub use chm_manifest::Role;
pub use engine::{Sandbox, SandboxOptions};
pub use error::{CallError, LoadError};
pub use grants::{ClickhouseGrant, ControlStatement, Grants, HostScope};
pub use inspect::{API_VERSION, Import, Inspection, Interface};
pub use limits::{Limits, RoleLimits};
pub use plugin::{Described, Failures, Plugin, PluginSource};
pub use services::{CallScope, Services};
