//! Query strings and forms: `a=1&b=%20`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// What stays as it is in RFC 3986: letters, digits, `-._~`.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, and slashes.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// Decoded names and values in their order; `+` is a space.
pub fn pairs(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

/// The form of a call in the query protocol: a GET's query; otherwise the body, or the query where the body names no action.
pub fn form<'r>(method: &http::Method, query: &'r str, body: &'r [u8]) -> &'r str {
    let of_body = std::str::from_utf8(body).unwrap_or_default();
    let is_in_query = || get(query, "Action").is_some() && get(of_body, "Action").is_none();
    if method == http::Method::GET || is_in_query() { query } else { of_body }
}

/// The first value of a name.
pub fn get<'q>(text: &'q str, name: &str) -> Option<Cow<'q, str>> {
    pairs(text).find(|(held, _)| held == name).map(|(_, value)| value)
}

/// Whether the query has each of the pairs.
pub fn has_all(text: &str, fixed: &[(&str, &str)]) -> bool {
    fixed.iter().all(|(name, value)| pairs(text).any(|(held, it)| held == *name && it == *value))
}

/// Appends `name=value`, encoded.
pub fn push(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.extend(utf8_percent_encode(name, UNRESERVED));
    query.push('=');
    query.extend(utf8_percent_encode(value, UNRESERVED));
}

/// Encodes a path label; slashes are kept in greedy ones only.
pub fn encode_label(value: &str, greedy: bool) -> String {
    utf8_percent_encode(value, if greedy { PATH } else { UNRESERVED }).to_string()
}
