//! Bodies in XML.

mod read;
mod tree;
mod write;

pub use read::{read_element, read_unwrapped};
pub use tree::{Element, parse};
pub use write::{escape, write_element, write_members};
