use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// An HTTP request, as far as a signature covers it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    /// As on the wire: percent-encoded, without the query string.
    pub path: &'a str,
    /// As on the wire, without `?`; empty if there is none.
    pub query: &'a str,
    /// Names in any case. `Host` must be among them; under HTTP/2 it is the `:authority`.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Request<'a> {
    /// The first value of a header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    pub(crate) fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.headers.iter().filter(move |(held, _)| held.eq_ignore_ascii_case(name)).map(|&(_, value)| value)
    }

    /// Names and values of the query string, decoded.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (Cow<'a, [u8]>, Cow<'a, [u8]>)> + use<'a> {
        self.query.split('&').filter(|piece| !piece.is_empty()).map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (from_form(name), from_form(value))
        })
    }
}

/// Decodes a piece of a query string: `+` is a space, `%XX` a byte.
fn from_form(raw: &str) -> Cow<'_, [u8]> {
    if raw.contains('+') {
        let spaced = raw.replace('+', " ");
        return Cow::Owned(percent_encoding::percent_decode_str(&spaced).collect());
    }
    percent_encoding::percent_decode_str(raw).into()
}

/// A request's body, or what its hash is already known to be.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    Bytes(&'a [u8]),
    Sha256([u8; 32]),
}

impl Payload<'_> {
    pub(crate) fn sha256_hex(&self) -> String {
        match self {
            Payload::Bytes(bytes) => hex(&Sha256::digest(bytes)),
            Payload::Sha256(hash) => hex(hash),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|&byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
