//! What a process is given for an invocation.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::Reply;
use super::serve::JSON;
use crate::invocation::Invocation;
use crate::pool::Job;

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");

/// The answer to `next`: the event and what belongs to it.
#[derive(Debug)]
pub struct Event {
    pub payload: Bytes,
    request_id: String,
    /// When the function's time is over, milliseconds since 1970.
    deadline_ms: i64,
    arn: HeaderValue,
    trace_id: String,
    client_context: Option<String>,
}

impl Event {
    pub fn new(job: &Job, deadline_ms: i64) -> Event {
        let invocation = &job.invocation;
        let is_empty = invocation.payload.is_empty();
        Event {
            payload: if is_empty { Bytes::from_static(b"{}") } else { invocation.payload.clone() },
            request_id: invocation.request_id.clone(),
            deadline_ms,
            arn: job.target.arn.clone(),
            trace_id: trace_of(invocation).into_owned(),
            client_context: invocation.client_context.as_ref().map(|text| text.replace(['\r', '\n'], " ")),
        }
    }

    pub fn into_reply(self) -> Reply {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(DEADLINE_MS, HeaderValue::from(self.deadline_ms));
        for (name, value) in self.texts() {
            // What no header can carry is left out.
            headers.extend(HeaderValue::from_bytes(value).ok().map(|value| (name, value)));
        }
        let mut reply = Response::new(Full::new(self.payload));
        *reply.headers_mut() = headers;
        reply
    }

    /// Appends the head of its HTTP/1.1 response.
    pub fn write_head(&self, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n");
        write_header(out, &DEADLINE_MS, number.format(self.deadline_ms).as_bytes());
        for (name, value) in self.texts() {
            if !has_control(value) {
                write_header(out, &name, value);
            }
        }
        out.extend_from_slice(b"content-length: ");
        out.extend_from_slice(number.format(self.payload.len()).as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
    }

    fn texts(&self) -> impl Iterator<Item = (HeaderName, &[u8])> {
        let context = self.client_context.as_ref();
        [
            (REQUEST_ID, self.request_id.as_bytes()),
            (FUNCTION_ARN, self.arn.as_bytes()),
            (TRACE_ID, self.trace_id.as_bytes()),
        ]
        .into_iter()
        .chain(context.map(|context| (CLIENT_CONTEXT, context.as_bytes())))
    }
}

/// Has it a byte that no header can carry? All of them are looked at, several at a time, as there is hardly ever one.
fn has_control(value: &[u8]) -> bool {
    value.iter().fold(false, |has, byte| has | (*byte < b' ') & (*byte != b'\t') | (*byte == 0x7f))
}

fn write_header(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// An invocation's trace: its caller's, or one of its own. A root alone is completed by what Lambda adds to it: a parent, and that
/// nobody records it.
pub fn trace_of(invocation: &Invocation) -> Cow<'_, str> {
    match &invocation.trace_id {
        Some(root) if root.len() == ROOT_BYTES && root.starts_with("Root=") => {
            let digits = digits_of(&invocation.request_id);
            Cow::Owned([root, ";Parent=", text(&digits[16..]), ";Sampled=0"].concat())
        }
        Some(trace_id) => Cow::Borrowed(trace_id),
        None => Cow::Owned(trace_id(&invocation.request_id, invocation.at_ms)),
    }
}

/// `Root=1-{8}-{24}`, and nothing else.
const ROOT_BYTES: usize = 40;

/// A request id's hexadecimal digits.
fn digits_of(request_id: &str) -> [u8; 32] {
    let mut digits = [b'0'; 32];
    let mut at = 0;
    for byte in request_id.bytes() {
        if byte.is_ascii_hexdigit() && at < digits.len() {
            digits[at] = byte.to_ascii_lowercase();
            at += 1;
        }
    }
    digits
}

fn text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).expect("hexadecimal digits are text")
}

/// A trace of its own for an invocation whose caller brought none: not sampled, its numbers taken from the request id.
fn trace_id(request_id: &str, at_ms: i64) -> String {
    let digits = digits_of(request_id);
    let digits = text(&digits);
    let seconds = (at_ms / 1000) as u32;
    format!(
        "Root=1-{seconds:08x}-{};Parent={};Sampled=0;Lineage=0:{}:0",
        &digits[..24],
        &digits[16..],
        &digits[..8]
    )
}
