//! Whether Clerk's API was down a moment ago: then nobody waits for it again so soon.

use chm_plugin::Failure;
use chm_plugin::host::clock;
use chm_plugin::host::kv::{self, KvError};

/// The key of the time until which nobody asks, in milliseconds since the Unix epoch.
const KEY: &str = "outage";
/// Milliseconds from one try to the next.
const PAUSE: f64 = 5000.0;

/// Whether it is too early to ask again.
pub(crate) fn lasts() -> Result<bool, Failure> {
    let until = kv::get(KEY)?.and_then(|bytes| Some(f64::from_be_bytes(bytes.try_into().ok()?)));
    let left = until.unwrap_or_default() - clock::now();
    // A clock that was set back must not make an outage longer.
    Ok(left > 0.0 && left <= PAUSE)
}

/// Notes that it did not answer.
pub(crate) fn begins() -> Result<(), Failure> {
    match kv::set(KEY, &(clock::now() + PAUSE).to_be_bytes()) {
        // The next request tries again, that is all.
        Ok(()) | Err(KvError::Full) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
