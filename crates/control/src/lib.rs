//! The AWS endpoint: identify, verify, decode, call, encode.
//!
//! One function tells a call's whole way: [`Control::serve`]. The models say what a request means and how its answer is
//! written; the signature says who calls; a registered service does the work. An operation that no service has answers
//! `501` and names itself.
//!
//! Start at [`Control`], then [`Signatures`].

mod answer;
mod asked;
mod body;
mod caller;
mod endpoint;

pub use answer::{Answer, EventBody};
pub use asked::Asked;
pub use caller::{Credential, Lookup, Signatures, bare_fault};
pub use endpoint::{Control, Gate, Origin, Reached};
