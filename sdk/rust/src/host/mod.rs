//! What the host offers. A component imports only what it uses, and works only where the operator granted it.
//!
//! Compiled natively (in `cargo test`), the same functions ask [`crate::testing::FakeHost`].

pub mod clickhouse;
pub mod clock;
pub mod config;
pub mod control;
pub mod http;
pub mod jwt;
pub mod kv;
pub mod log;
pub mod random;
pub mod secrets;

#[cfg(target_arch = "wasm32")]
use crate::bindings::imports::chm::plugin as imports;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::imports;
