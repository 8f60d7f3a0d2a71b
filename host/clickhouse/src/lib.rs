//! Everything that reaches a monitored ClickHouse: the read-only guard, hosts, limits, streaming reads, and the few
//! typed control statements.
//!
//! Law 3: only two things are sent to ClickHouse, a [`GuardedQuery`] read with `readonly` and limits in the same
//! request, or a control statement this crate writes itself from checked identifiers.

pub mod guard;

pub use guard::{GuardedQuery, Refusal};
