//! The two calls that every invocation makes, `next` and its answer in one piece, without a whole HTTP server between: half of
//! what that costs a warm invocation is saved. Whatever is in any way unusual about a call is not decided here: the
//! connection then goes to [`super::serve`], with all that was read of the call.

use std::mem::MaybeUninit;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use pitbird_names::limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Reply;
use super::event::Event;
use super::machine::{Answer, Rejection};
use super::serve::{RUNTIME_API, reject, truncated};
use crate::environment::Environment;

/// A head that is longer is unusual, as is one with more headers; bytes.
const HEAD_BYTES_MAX: usize = 4096;
const HEADERS_MAX: usize = 24;
/// Payloads up to this many bytes go out in one piece with their heads; longer ones aren't copied for it.
const COPIED_BYTES_MAX: usize = 16 * 1024;
/// What a process may send ahead while its call waits, bytes; more is left with the kernel.
const AHEAD_BYTES_MAX: usize = 4096;
const ACCEPTED: &[u8] =
    b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"status\":\"OK\"}\n";

/// A connection of which something unusual was read.
pub struct Unusual {
    pub stream: TcpStream,
    /// The beginning of a call, or all of it and more.
    pub read: BytesMut,
}

/// Serves a connection's usual calls. Answers with the connection at the first that isn't, or with nothing at its end.
pub async fn serve(stream: TcpStream, environment: &Arc<Environment>) -> Option<Unusual> {
    let mut connection = Connection { stream, read: BytesMut::new(), out: Vec::new() };
    loop {
        match connection.call().await? {
            Call::Next => connection.next(environment).await?,
            Call::Response { request_id, head_bytes, body_bytes } => {
                let Ok(request_id) = std::str::from_utf8(&connection.read[request_id]) else { break };
                let Ok(answering) = environment.begin_answer(request_id, Answer::Response) else { break };
                connection.read.advance(head_bytes);
                let Some(body) = connection.body(body_bytes).await else {
                    // It may still listen for what becomes of an answer that it broke off.
                    drop(answering);
                    connection.refuse(truncated()).await;
                    return None;
                };
                connection.accept(answering.finish(Ok(body))).await?;
            }
            Call::Unusual => break,
        }
    }
    let Connection { stream, read, .. } = connection;
    Some(Unusual { stream, read })
}

/// A call as far as its head says.
#[derive(Debug, PartialEq, Eq)]
enum Call {
    /// Its head has been taken off.
    Next,
    /// Where in what was read the request id is, and how long head and body are.
    Response {
        request_id: std::ops::Range<usize>,
        head_bytes: usize,
        body_bytes: usize,
    },
    Unusual,
}

struct Connection {
    stream: TcpStream,
    /// Read and not yet dealt with.
    read: BytesMut,
    /// What goes out; kept for the next time.
    out: Vec<u8>,
}

/// In all of these `None` is a connection that has ended.
impl Connection {
    async fn call(&mut self) -> Option<Call> {
        if self.read.is_empty() {
            self.read_more().await?;
        }
        loop {
            match read_head(&self.read) {
                Some(Head { call: Call::Next, bytes }) => {
                    self.read.advance(bytes);
                    return Some(Call::Next);
                }
                Some(Head { call, .. }) => return Some(call),
                None if self.read.len() >= HEAD_BYTES_MAX => return Some(Call::Unusual),
                None => self.read_more().await?,
            }
        }
    }

    async fn read_more(&mut self) -> Option<()> {
        self.read.reserve(HEAD_BYTES_MAX);
        let count = self.stream.read_buf(&mut self.read).await.ok()?;
        (count > 0).then_some(())
    }

    /// Waits for an event and gives it out. A process that closes the connection gives up its place.
    async fn next(&mut self, environment: &Arc<Environment>) -> Option<()> {
        let answered = {
            let mut next = std::pin::pin!(environment.next());
            loop {
                let may_read_ahead = self.read.len() < AHEAD_BYTES_MAX;
                self.read.reserve(AHEAD_BYTES_MAX);
                tokio::select! {
                    biased;
                    answered = next.as_mut() => break answered,
                    read = self.stream.read_buf(&mut self.read), if may_read_ahead => {
                        read.ok().filter(|count| *count > 0)?;
                    }
                }
            }
        };
        match answered {
            Ok(event) => self.give(&event).await,
            Err(rejection) => self.refuse(reject(&rejection)).await,
        }
    }

    async fn give(&mut self, event: &Event) -> Option<()> {
        self.out.clear();
        event.write_head(&mut self.out);
        if event.payload.len() <= COPIED_BYTES_MAX {
            self.out.extend_from_slice(&event.payload);
            return self.stream.write_all(&self.out).await.ok();
        }
        self.stream.write_all(&self.out).await.ok()?;
        self.stream.write_all(&event.payload).await.ok()
    }

    /// A body of known length, at most [`limits::INVOKE_PAYLOAD_BYTES`].
    async fn body(&mut self, length: usize) -> Option<Bytes> {
        let mut body = Vec::with_capacity(length);
        let here = length.min(self.read.len());
        body.extend_from_slice(&self.read[..here]);
        self.read.advance(here);
        while body.len() < length {
            let left = (length - body.len()) as u64;
            let count = (&mut self.stream).take(left).read_buf(&mut body).await.ok()?;
            (count > 0).then_some(())?;
        }
        Some(body.into())
    }

    async fn accept(&mut self, finished: Result<(), Rejection>) -> Option<()> {
        match finished {
            Ok(()) => self.stream.write_all(ACCEPTED).await.ok(),
            Err(rejection) => self.refuse(reject(&rejection)).await,
        }
    }

    async fn refuse(&mut self, refusal: Reply) -> Option<()> {
        let (head, body) = refusal.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        let status = head.status;
        let reason = status.canonical_reason().unwrap_or_default();
        let length = body.len();
        let mut out = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            status.as_u16()
        )
        .into_bytes();
        out.extend_from_slice(&body);
        self.stream.write_all(&out).await.ok()
    }
}

/// A head that is complete.
struct Head {
    call: Call,
    bytes: usize,
}

/// Reads a head; `None` while it isn't complete.
fn read_head(read: &[u8]) -> Option<Head> {
    let mut headers = [MaybeUninit::uninit(); HEADERS_MAX];
    let mut head = httparse::Request::new(&mut []);
    let bytes = match head.parse_with_uninit_headers(read, &mut headers) {
        Ok(httparse::Status::Complete(bytes)) => bytes,
        Ok(httparse::Status::Partial) => return None,
        Err(_) => return Some(Head { call: Call::Unusual, bytes: 0 }),
    };
    let call = usual(read, &head, bytes).unwrap_or(Call::Unusual);
    Some(Head { call, bytes })
}

fn usual(read: &[u8], head: &httparse::Request<'_, '_>, head_bytes: usize) -> Option<Call> {
    let mut body_bytes = None;
    for header in head.headers.iter() {
        match header.name.len() {
            6 if header.name.eq_ignore_ascii_case("expect") => return None,
            7 if header.name.eq_ignore_ascii_case("upgrade") => return None,
            10 if header.name.eq_ignore_ascii_case("connection") => {
                header.value.eq_ignore_ascii_case(b"keep-alive").then_some(())?;
            }
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                body_bytes.is_none().then_some(())?;
                body_bytes = Some(length(header.value)?);
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => return None,
            37 if header.name.eq_ignore_ascii_case("lambda-runtime-function-response-mode") => return None,
            _ => {}
        }
    }
    (head.version == Some(1)).then_some(())?;
    let path = head.path?.strip_prefix(RUNTIME_API)?.strip_prefix("runtime/invocation/")?;
    match (head.method?, path.strip_suffix("/response")) {
        ("GET", None) if path == "next" && body_bytes.unwrap_or(0) == 0 => Some(Call::Next),
        ("POST", Some(request_id)) if request_id.bytes().all(|byte| !matches!(byte, b'/' | b'?' | b'%')) => {
            let body_bytes = body_bytes.filter(|bytes| *bytes <= limits::INVOKE_PAYLOAD_BYTES)?;
            let start = request_id.as_ptr() as usize - read.as_ptr() as usize;
            Some(Call::Response { request_id: start..start + request_id.len(), head_bytes, body_bytes })
        }
        _ => None,
    }
}

/// Digits only, as RFC 9110 §8.6 has it, and no more of them than any length here needs.
fn length(value: &[u8]) -> Option<usize> {
    let is_number = !value.is_empty() && value.len() <= 9 && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| value.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n";

    fn response(headers: &str) -> String {
        format!("POST /2018-06-01/runtime/invocation/some-id/response HTTP/1.1\r\nhost: h\r\n{headers}\r\n")
    }

    fn call(head: &str) -> Call {
        read_head(head.as_bytes()).expect("a complete head").call
    }

    #[test]
    fn what_every_invocation_asks_is_usual() {
        assert_eq!(call(NEXT), Call::Next);
        let head = response("Content-Length: 17\r\nContent-Type: text/plain\r\nConnection: Keep-Alive\r\n");
        let Call::Response { request_id, head_bytes, body_bytes } = call(&head) else { panic!("{head}") };
        assert_eq!((&head[request_id], head_bytes, body_bytes), ("some-id", head.len(), 17));
    }

    #[test]
    fn anything_else_is_not() {
        for headers in [
            "",
            "content-length: 1\r\ncontent-length: 1\r\n",
            "content-length: +1\r\n",
            "content-length: 1, 1\r\n",
            "content-length: \r\n",
            "content-length: 99999999\r\n",
            "content-length: 18446744073709551617\r\n",
            "content-length: 1\r\ntransfer-encoding: chunked\r\n",
            "content-length: 1\r\nexpect: 100-continue\r\n",
            "content-length: 1\r\nconnection: close\r\n",
            "content-length: 1\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n",
        ] {
            assert_eq!(call(&response(headers)), Call::Unusual, "{headers}");
        }
        for head in [
            NEXT.replace("1.1\r\n", "1.0\r\n"),
            NEXT.replace("GET", "POST"),
            NEXT.replace("next", "next?a=b"),
            NEXT.replace("\r\n\r\n", "\r\ncontent-length: 1\r\n\r\n"),
            NEXT.replace("/2018-06-01/", "/"),
            NEXT.replace("/2018-06-01/", "http://h/2018-06-01/"),
            response("content-length: 1\r\n").replace("some-id/", "some/id/"),
            response("content-length: 1\r\n").replace("/response", "/error"),
            NEXT.replace("\r\n\r\n", &"\r\na: b".repeat(HEADERS_MAX)) + "\r\n\r\n",
            "\0\r\n\r\n".to_owned(),
        ] {
            assert_eq!(call(&head), Call::Unusual, "{head}");
        }
    }

    proptest! {
        #[test]
        fn a_beginning_is_waited_for(cut in 0..NEXT.len()) {
            prop_assert!(read_head(&NEXT.as_bytes()[..cut]).is_none());
        }

        #[test]
        fn no_bytes_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(Head { call: Call::Response { request_id, .. }, bytes: length }) = read_head(&bytes) {
                prop_assert!(request_id.end <= length && length <= bytes.len());
            }
        }
    }
}
