//! The audit log: every write, denied write, key event, control statement and plugin load.
//!
//! [`RecordWrites`] sees every request whose operation is a write, whatever becomes of it; handlers and services record what a
//! request alone does not tell. Key events are kept with the change itself, in one transaction of the store.

mod circumstances;
mod flood;
mod recorder;
mod writes;

pub use circumstances::Circumstances;
pub use recorder::Audit;
pub use writes::{Noted, RecordWrites, RecordWritesEndpoint, WriteTable};
