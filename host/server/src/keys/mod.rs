//! API keys: who may come in with one ([`KeyRing`]), and making and ending them ([`KeyDesk`]).

mod desk;
mod liveness;
mod ring;
mod usage;
mod wish;

pub(crate) use desk::prune;
pub use desk::{KeyDesk, KeyError, Minted};
pub use ring::{KeyRing, Worth};
pub use wish::{InvalidWish, KeyWish};

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
