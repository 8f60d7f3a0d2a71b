//! A host for native unit tests: `cargo test` in a plugin's folder needs no WebAssembly.

mod basic;
mod check;
mod fake_host;
mod hmac;
pub(crate) mod imports;

pub use check::{all_problems, problems};
pub use fake_host::{FakeHost, SentRequest};
