//! Panels at run time: from a request to statements that are right on each server.
//!
//! `request` reads the query string; `facts` is what a server has of what the panel names; `statement` writes the statement for it,
//! with `filter` and the cut, and `written` keeps the last one; `run` puts them together, and `unavailable` says in words why a panel
//! cannot be shown.

mod cut;
mod facts;
mod filter;
mod request;
mod run;
mod selection;
mod statement;
mod unavailable;
mod values;
mod written;

pub use filter::{Condition, Filter};
pub use request::{MOST_OFFSET, Request, Scope, pairs, sortable};
pub use run::{AT_A_TIME, Asking, Outcome, answer, rows};
pub use selection::{Requirement, Selection};
pub use values::{ValueCount, values};
pub use written::Written;
