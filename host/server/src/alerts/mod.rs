//! Alerts on their way to the sinks.
//!
//! An [`Outbox`] holds them: one queue per sink, delivered in order, tried again until they are delivered, refused for good, or too
//! old. A sink that traps, is busy or is down leaves its alerts waiting and touches no other sink's.
//!
//! What is known about each alert is in the [`ledger`](Ledger), which does no I/O and reads no clock; a durable store takes
//! its place later.

mod answer;
mod backoff;
mod ledger;
mod outbox;
mod ticket;

pub use answer::{DeliveryError, classify};
pub use backoff::{Backoff, Jitter};
pub use ledger::{Counts, Entry, EntryState, Ledger, OutboxOptions, Step};
pub use outbox::{Outbox, OutboxError};
pub use ticket::{Outcome, Ticket};
