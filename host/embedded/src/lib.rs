//! The ClickHouse that `chm-host up` starts when none is configured, and that tests use.
//!
//! A server in four steps: [`library::obtain`] fetches ClickHouse's own code (`libchdb.so`) once and
//! verifies it; [`Engine::start`] writes a lean configuration and spawns the caller's own program
//! again as the *launcher*; there [`launcher::run_engine`] loads the library, confines the process to
//! its directory and opens the HTTP port; [`Demo::start`] optionally gives it something to show.
//!
//! What this crate must never do: talk to a ClickHouse it did not start. Every statement here goes
//! to the loopback port of a child process, with a password made for that process.
//!
//! An engine that dies is noticed and started again by whoever calls [`Engine::keep_running`].
//!
//! An engine never outlives the process that started it: its launcher holds the other end of a pipe
//! and stops when that end is gone, however the parent ended.

mod config;
#[cfg(target_os = "linux")]
mod confinement;
pub mod demo;
mod directory;
pub mod discover;
pub mod engine;
mod last_words;
pub mod launcher;
pub mod library;
mod npm;
pub mod options;
pub mod restarts;
pub mod statement;
pub mod xdg;

pub use demo::{Demo, DemoError, DemoHandle};
pub use discover::{DiscoverError, ServerBinary};
pub use engine::{Confinement, Engine, EngineError};
pub use launcher::{LAUNCHER_COMMAND, run_engine};
pub use library::{LibraryError, LibraryOptions, Progress};
pub use options::{EngineOptions, EngineProgram, EngineUser, LogTable, Place, Profile};
pub use restarts::{GaveUp, Restarts};
pub use statement::{Connection, StatementError};
