//! How rows leave the host: formats, the envelope, and what several readers share.

mod ask;
mod rows;

pub use ask::{Ask, Collected, Part};
pub use rows::{answer, collect, empty, made, stream};
