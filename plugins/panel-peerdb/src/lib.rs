//! Looks at a PeerDB deployment: one tool that makes the listed calls, and panels over the same calls.
//!
//! The address and the password are the host's; nothing here sees them. What PeerDB says loses its secrets in `upstream`, before
//! anything else reads it.

mod cache;
mod calls;
mod panels;
mod secrets;
mod tool;
mod trouble;
mod upstream;

pub use panels::Tables;
pub use tool::Tools;

chm_plugin::export!(panels: Tables, toolset: Tools);
