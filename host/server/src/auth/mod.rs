//! Who sends a request: built once per request, used by every later decision.

mod chain;
mod cookies;
mod for_guest;
mod guard;
mod identify;
mod provider;
mod sent;
mod tokens;

pub use chain::{AuthChain, Identified};
pub use for_guest::for_guest;
pub use guard::Guard;
pub use identify::Identify;
pub use sent::Sent;
