use crate::MediaTypes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use std::borrow::Cow;
use thiserror::Error;

mod payload;

use payload::{Payload, Text};

/// A header's name and value.
pub type Header<'p> = (Cow<'p, str>, Cow<'p, str>);

/// What goes back to the client, as far as the function decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'p> {
    /// 200 to 599.
    pub status: u16,
    /// Valid names and values in order, names as the function wrote them; `Content-Type` is always there.
    pub headers: Vec<Header<'p>>,
    pub body: Bytes,
}

/// Why a function's output is no answer. API Gateway says `502 Internal server error` and writes to its execution log
/// `Execution failed due to configuration error: Malformed Lambda proxy response`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("no answer of a proxy integration: {0}")]
    Shape(String),
    #[error("status code {0} is not from 200 to 599")]
    Status(i64),
    #[error("no header can have the name {0:?}")]
    HeaderName(String),
    #[error("header {0:?} has a control character in its value")]
    HeaderValue(String),
    #[error("the body says it is base64, but is not")]
    Base64,
}

/// Header lines in one answer; keeps a hostile function from making the gateway compare for long.
pub(crate) const ANSWER_HEADERS_MAX: usize = 500;

/// A header's name, bytes; well below what HTTP libraries take.
const HEADER_NAME_BYTES_MAX: usize = 1024;

/// Names that an answer may not set; they arrive as `x-amzn-Remapped-…`. Source: AWS developer guide, "Amazon API
/// Gateway important notes".
const REMAPPED: [(&str, &str); 4] = [
    ("connection", "x-amzn-Remapped-Connection"),
    ("content-length", "x-amzn-Remapped-Content-Length"),
    ("date", "x-amzn-Remapped-Date"),
    ("server", "x-amzn-Remapped-Server"),
];

/// Turns a function's output into the answer of its exchange. `accept` is the client's `Accept` header.
///
/// A body marked as base64 is decoded only if the client accepts one of the API's binary types; otherwise the base64
/// text itself is the body, as the service has it.
pub fn reply<'p>(
    payload: &'p Bytes,
    accept: Option<&[u8]>,
    binary: MediaTypes<'_>,
) -> Result<Answer<'p>, Malformed> {
    let read: Payload<'p> =
        serde_json::from_slice(payload).map_err(|error| Malformed::Shape(error.to_string()))?;
    let status = match u16::try_from(read.status) {
        Ok(status @ 200..=599) => status,
        _ => return Err(Malformed::Status(read.status)),
    };
    let decodes = read.is_base64 && binary.accepts_binary(accept);
    let body = match read.body {
        Some(Text(body)) if decodes => Bytes::from(STANDARD.decode(&*body).map_err(|_| Malformed::Base64)?),
        Some(Text(Cow::Borrowed(body))) => payload.slice_ref(body.as_bytes()),
        Some(Text(Cow::Owned(body))) => Bytes::from(body),
        None => Bytes::new(),
    };
    Ok(Answer { status, headers: merge(read.headers, read.multi)?, body })
}

/// Puts both kinds of headers into one list: the multi-valued first, then the single ones that say something new, under
/// the name's case in the multi-valued map.
fn merge<'p>(
    single: Vec<(Text<'p>, Text<'p>)>,
    multi: Vec<(Text<'p>, Vec<Text<'p>>)>,
) -> Result<Vec<Header<'p>>, Malformed> {
    let mut headers = Vec::with_capacity(1 + single.len() + multi.len());
    for (Text(name), values) in multi {
        for Text(value) in values {
            push(&mut headers, name.clone(), value)?;
        }
    }
    let from_multi = headers.len();
    for (Text(name), Text(value)) in single {
        let mut alike =
            headers[..from_multi].iter().filter(|(held, _)| held.eq_ignore_ascii_case(&name)).peekable();
        let Some((held, _)) = alike.peek() else {
            push(&mut headers, name, value)?;
            continue;
        };
        let held = held.clone();
        if alike.all(|(_, earlier)| *earlier != value) {
            push(&mut headers, held, value)?;
        }
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push((Cow::Borrowed("Content-Type"), Cow::Borrowed("application/json")));
    }
    Ok(headers)
}

fn push<'p>(headers: &mut Vec<Header<'p>>, name: Cow<'p, str>, value: Cow<'p, str>) -> Result<(), Malformed> {
    if name.is_empty() || name.len() > HEADER_NAME_BYTES_MAX || !name.bytes().all(is_token) {
        return Err(Malformed::HeaderName(name.into_owned()));
    }
    // Without an early end, so that several bytes are looked at together.
    if value.bytes().fold(false, |has, byte| has | (byte < b' ') & (byte != b'\t') | (byte == 0x7f)) {
        return Err(Malformed::HeaderValue(name.into_owned()));
    }
    if headers.len() >= ANSWER_HEADERS_MAX {
        return Err(Malformed::Shape(format!("more than {ANSWER_HEADERS_MAX} headers")));
    }
    if name.eq_ignore_ascii_case("transfer-encoding") {
        return Ok(());
    }
    let remapped = REMAPPED.iter().find(|(plain, _)| name.eq_ignore_ascii_case(plain));
    headers.push((remapped.map_or(name, |(_, remapped)| Cow::Borrowed(*remapped)), value));
    Ok(())
}

/// RFC 9110 §5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests;
