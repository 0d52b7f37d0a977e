//! Matches `/a/{b}/{rest+}` templates and ranks the matches; serves AWS operations and user routes alike.
//!
//! A [`Template`] is what an AWS model or the owner of a REST API writes. A [`Router`] holds many of them, each with a
//! value, and finds the best for a request's path: in each segment static text beats `{param}`, which beats
//! `{greedy+}`. Captured text stays as it came, percent-encoded; [`decode`] turns it into words.
//!
//! Nothing here knows HTTP methods or query strings. Who needs them keeps one router per method, or asks
//! [`Router::find_where`].

mod router;
mod template;

pub use router::{Conflict, Match, Router};
pub use template::{Error, SEGMENTS_MAX, Segment, TEMPLATE_BYTES_MAX, Template};

use std::borrow::Cow;

/// Percent-decodes a captured piece of a path. What is no valid `%XX` stays as it is; bytes that are no UTF-8 become
/// U+FFFD; `+` stays a plus.
pub fn decode(raw: &str) -> Cow<'_, str> {
    // Most have nothing to decode.
    if !raw.contains('%') {
        return Cow::Borrowed(raw);
    }
    percent_encoding::percent_decode_str(raw).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decoding_keeps_what_is_not_encoded() {
        for (raw, words) in [
            ("plain", "plain"),
            ("a+b", "a+b"),
            ("arn%3Aaws%3Alambda%2Fx", "arn:aws:lambda/x"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%C3%A9", "é"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decode(raw), words);
        }
    }
}
