//! End-to-end claims: the real program, real ClickHouse, real plugins, over HTTP.
//!
//! Each module is a group of claims. They share one embedded ClickHouse and, where their configuration is the plain one, one host;
//! everything they start ends with the test process, however that ends.

// clippy.toml allows these in functions that are tests; their helpers are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

mod alerts;
mod bad_input;
mod clerk;
mod configuration;
mod document;
mod ending;
mod features;
mod javascript;
mod keys;
mod laws;
mod misbehaving;
mod nginx;
mod oidc;
mod panels;
mod proxy;
mod refusals;
mod statements;
mod streams;
mod telemetry;
mod tools;
mod trusted;
mod users;
