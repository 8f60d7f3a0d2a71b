//! Write a chm-host plugin in Rust.
//!
//! A plugin fills one or more roles: it signs people in ([`AuthProvider`]), describes tables and charts ([`Panels`]),
//! delivers alerts ([`AlertSink`]), offers tools ([`Toolset`]) or actions ([`Actions`]). It is one WebAssembly component, runs in a
//! sandbox, and reaches only what the operator grants it, through the functions in [`host`].
//!
//! # A first plugin
//!
//! ```
//! use chm_plugin::{Feature, Panels, panels::{Column, Panel}};
//!
//! struct Clock;
//!
//! impl Panels for Clock {
//!     fn describe() -> Vec<Panel> {
//!         vec![Panel::table("server-clock", Feature::Overview)
//!             .summary("What time it is on the server.")
//!             .query("SELECT now() AS time")
//!             .column(Column::timestamp("time"))]
//!     }
//! }
//!
//! chm_plugin::export!(panels: Clock);
//! # fn main() {}
//! ```
//!
//! Beside it lie a `Cargo.toml` with `crate-type = ["cdylib", "rlib"]` and a `plugin.toml`:
//!
//! ```toml
//! id = "server-clock"
//! version = "0.1.0"
//! api = "0.1"
//! summary = "What time it is on the server."
//! license = "MIT"
//! ```
//!
//! `chm-host plugin build .` makes the component. `cargo test` runs the plugin's tests natively, against a
//! [`testing::FakeHost`].
//!
//! # Failures
//!
//! What the host refuses becomes a [`Failure`] by `?`; in a sink, what `http` refuses becomes an [`alerts::DeliveryFailure`].
//!
//! # Panics
//!
//! A panic ends the call, nothing else: the next call has a fresh instance. Its message and line are in the host's log.

// The generated code names this crate from outside and from inside.
#[allow(unused_extern_crates)]
extern crate self as chm_plugin;

pub mod actions;
pub mod alerts;
pub mod auth;
#[doc(hidden)]
#[allow(missing_docs, clippy::all, rustdoc::all)]
pub mod bindings;
mod export;
mod failure;
mod feature;
pub mod host;
pub mod panels;
mod panic_hook;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod time;
pub mod tools;

pub use actions::Actions;
pub use alerts::AlertSink;
pub use auth::AuthProvider;
pub use bindings::imports::chm::plugin::types::Operation;
pub use failure::Failure;
pub use feature::Feature;
pub use panels::Panels;
pub use tools::Toolset;

#[doc(hidden)]
#[cfg(not(target_arch = "wasm32"))]
pub use export::private as __private;
