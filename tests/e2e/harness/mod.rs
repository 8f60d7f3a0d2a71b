//! What the claims stand on: built plugins, an engine, hosts, receivers, and a client.

mod answer;
mod built;
mod cluster;
mod engine;
mod folder;
mod host;
mod issuer;
mod javascript;
mod npm;
mod old_server;
mod operation;
mod peerdb;
mod python;
mod receiver;
mod runtime;
mod signer;
mod signing_key;
mod visit;

pub use answer::Answer;
pub use built::{bundled, guest, repository};
pub use cluster::{CLUSTER, TRAVELLER, cluster};
pub use engine::{CANARY_TEXT, LACKING, OUTSIDER, READER, STRICT, TestEngine, bare_engine, engine, small_engine};
pub use folder::PluginFolder;
pub use host::{Host, HostBuilder, command, shared};
pub use issuer::{Health, Issuer, now};
pub use javascript::{changed_javascript_plugin, javascript_plugin};
pub use npm::{finished, node_modules};
pub use old_server::old_server;
pub use operation::{Credentials, Operation, gate_code};
pub use peerdb::{Mood, PEER_SECRET, PEERDB_PASSWORD, Peerdb};
pub use python::python_with;
pub use receiver::{Receiver, Reply, Seen};
pub use runtime::{PATIENCE, client, eventually, run};
pub use signer::Signer;
pub use signing_key::SigningKey;
pub use visit::Visit;
