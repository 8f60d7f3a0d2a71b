//! What the claims stand on: built plugins, an engine, hosts, receivers, and a client.

mod answer;
mod built;
mod engine;
mod folder;
mod host;
mod npm;
mod receiver;
mod runtime;

pub use answer::Answer;
pub use built::{bundled, guest, repository};
pub use engine::{CANARY_TEXT, READER, STRICT, engine, small_engine};
pub use folder::PluginFolder;
pub use host::{Host, HostBuilder, command, shared};
pub use npm::{finished, node_modules};
pub use receiver::{Receiver, Reply};
pub use runtime::{client, eventually, run};
