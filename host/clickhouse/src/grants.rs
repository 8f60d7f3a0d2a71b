//! What the host's ClickHouse user may do, what it needs to, and the exact statements between the two.
//!
//! Three parts: [`grammar`] reads the lines of `SHOW GRANTS`, [`advice`] compares (a pure function), [`ask`] asks a server.
//! All shapes were taken from 26.7; older servers print a subset.

mod advice;
mod ask;
mod grammar;
mod target;

pub use advice::{Advice, Held, Holding, Needs, advise};
pub use ask::Standing;
pub use grammar::{Effect, NotUnderstood, Rule, Statement};
pub use target::{Pattern, Target};

/// A name as ClickHouse reads it back: plain where it may be, else in back quotes.
pub(crate) fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { name.to_owned() } else { format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`")) }
}
