//! How rows leave the host: streamed as they come from ClickHouse, in the form that was asked for, cut exactly.
//!
//! [`answer`] makes a response of an [`Ask`]; [`collect`] brings its rows into memory, for what the host makes of them itself. Both go
//! through [`Sharing`]: identical reads that run at the same time run once, and small answers are kept for as long as the ask allows.
//! Who may ask is decided before: here nobody is asked who they are, and what is shared depends on the statement, its values and its
//! limits alone.

mod ask;
mod collected;
mod compress;
mod count;
mod flow;
mod gather;
mod json;
mod respond;
mod share;
mod shelf;
mod stall;

pub use ask::{Ask, Part};
pub use collected::{Collected, collect, empty, made};
pub use compress::{Compress, CompressEndpoint};
pub use respond::{Begun, answer, begin, stream};
pub use share::{Sharing, SharingOptions};
