//! Who sends a request: built once per request, used by every later decision.

mod chain;
mod guard;

pub use chain::{AuthChain, Identified, Provider, for_guest};
pub use guard::Guard;
