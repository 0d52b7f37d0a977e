//! Bodies in CBOR (RFC 8949), read straight into values by the model's shapes.

mod read;
mod write;

pub use read::{read, read_any};
pub use write::{write, write_any};

/// Major types.
mod major {
    pub const UNSIGNED: u8 = 0;
    pub const NEGATIVE: u8 = 1;
    pub const BYTES: u8 = 2;
    pub const TEXT: u8 = 3;
    pub const ARRAY: u8 = 4;
    pub const MAP: u8 = 5;
    pub const TAG: u8 = 6;
    pub const SIMPLE: u8 = 7;
}

/// Tag of seconds since 1970.
const TAG_EPOCH: u64 = 1;
