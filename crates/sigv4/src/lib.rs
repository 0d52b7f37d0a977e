//! Verifies, and for clients makes, a Signature Version 4.
//!
//! [`verify`] checks a [`Request`], header or presigned form, against a [`Secret`] that the caller looks up and gives
//! the [`Identity`] behind it, or an [`Error`] that says in AWS's words what is wrong. [`parse_identity`] reads the same
//! identity without checking anything, for servers that trust whoever reaches them. [`sign`] and [`presign`] are the
//! client's side.
//!
//! S3's streamed uploads come in frames, each with a signature of its own perhaps, and with checksums behind them:
//! [`unframe`] takes them apart, [`seal`] is what they are held against.
//!
//! Nothing here reads a clock: `now` comes in as seconds since 1970. Not here: SigV4A (asymmetric keys); it is refused by
//! name.
//!
//! Source: AWS General Reference, "Create a signed AWS API request", and the S3 API reference.

mod canonical;
mod claim;
mod error;
mod frames;
mod identity;
mod key;
mod request;
mod sign;
mod stamp;
mod verify;

pub use claim::parse_identity;
pub use error::{Error, Kind};
pub use frames::{FrameError, Framing, Seal, Unframed, unframe};
pub use identity::{Expected, Identity, Secret, Session};
pub use request::{Payload, Request};
pub use sign::{Credentials, EXPIRES_S_MAX, presign, sign};
pub use stamp::Stamp;
pub use verify::{seal, verify};
