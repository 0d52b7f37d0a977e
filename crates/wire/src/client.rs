//! The client's side of the wire.

mod decode;
mod encode;

pub use decode::{ClientError, Refusal, decode};
pub use encode::{encode, fill_tokens};
