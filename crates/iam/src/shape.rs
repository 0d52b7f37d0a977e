//! What callers get to see: IAM's output shapes, made from records. A member that was never set is left out.

mod policy;
mod role;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::page::Cut;

pub use policy::{AttachedPolicy, Policy, PolicyVersion};
pub use role::Role;

/// The answer of an operation that has nothing to say.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// The part of a list that every listing shares.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct More {
    is_truncated: bool,
    marker: Option<String>,
}

impl<T> Cut<T> {
    /// The items, and whether there are more.
    pub fn split(self) -> (Vec<T>, More) {
        (self.items, More { is_truncated: self.marker.is_some(), marker: self.marker })
    }
}

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A document as IAM returns it: URL-encoded.
pub fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// Epoch seconds, whole ones as the service gives them.
pub fn seconds(epoch_ms: i64) -> i64 {
    epoch_ms.div_euclid(1000)
}
