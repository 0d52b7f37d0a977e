//! Bodies in JSON, read straight into values by the model's shapes.

mod document;
mod read;
mod write;

pub use document::{Any, read as read_document};
pub use read::{BASE64_LENIENT, read};
pub use write::{write, write_any, write_text};
