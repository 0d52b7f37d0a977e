//! Members outside bodies: labels, queries, headers; and bodies that are one member.

mod header;
mod read;
mod write;

pub use header::{join, split};
pub use read::{input, output};
pub use write::{Written, request, response};
