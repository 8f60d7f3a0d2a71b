//! End-to-end claims: the real program, real ClickHouse, real plugins, over HTTP.
//!
//! Each module is a group of claims. They share one embedded ClickHouse and, where their configuration is the plain one, one host;
//! everything they start ends with the test process, however that ends.

// clippy.toml allows these in functions that are tests; their helpers are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

mod actions;
mod alerts;
mod allow_lists;
mod audit;
mod bad_input;
mod basic_file;
mod catalogue;
mod clerk;
mod configuration;
mod doctor;
mod document;
mod edge;
mod embedded;
mod ending;
mod every_server;
mod explorer;
mod features;
mod guard;
mod issuer;
mod javascript;
mod key_management;
mod key_spellings;
mod keys;
mod laws;
mod misbehaving;
mod nginx;
mod oidc;
mod outcomes;
mod panels;
mod paths;
mod peerdb;
#[path = "../../host/store/tests/store/postgres/mod.rs"]
mod postgres;
mod proxy;
mod redaction;
mod refusals;
mod right_answers;
mod roles;
mod schemathesis;
mod scope;
mod sealed;
mod servers;
mod slow_readers;
mod statements;
mod store;
mod streams;
mod telemetry;
mod tls;
mod tools;
mod trusted;
mod users;
