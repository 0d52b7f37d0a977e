//! Most requests as they are: a head and a short body that came in one piece, and an answer that is there in one piece. They are served
//! without a whole HTTP server between. Whatever is in any way unusual about a request, or about its answer, is not decided here: the
//! connection then goes to hyper, with all that was read of the request.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::task::ready;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HeaderMap, HeaderName, HeaderValue, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{Either, Full};
use httpdate::HttpDate;
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;

use crate::raw_head::{RawHead, Remembering};
use crate::received::Received;

/// What is read at once; a request with more bytes is unusual.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// As is one with more headers.
const HEADERS_MAX: usize = 48;
/// Bodies up to this many bytes go out in one piece with their heads; longer ones aren't copied for it.
const COPIED_BYTES_MAX: usize = 32 * 1024;
/// What is kept of the room for answers from one to the next, bytes.
const KEPT_BYTES_MAX: usize = 4 * 1024;

/// An answer whose body is there as a whole, or comes piece by piece.
pub type Answered<B> = Response<Either<Full<Bytes>, B>>;

/// Why no further request is served.
pub enum End<B> {
    /// There is none: the client has hung up, or was told that this is the end.
    Closed,
    /// It is unusual. Nothing of it is lost, it is read from the stream again. If it has been answered already the answer is what is unusual.
    Unusual(Option<Box<Answered<B>>>),
}

/// Serves usual requests until one comes that isn't. Once `stop` has changed the request under way is the last. Between two requests it
/// may be dropped: nothing is lost.
///
/// # Errors
/// When the connection breaks.
pub async fn serve<S, A, F, B>(
    stream: &mut Remembering<S>,
    head: &RawHead,
    stop: &watch::Receiver<bool>,
    answer: &A,
) -> io::Result<End<B>>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Request<Received>, Bytes) -> F,
    F: Future<Output = Answered<B>>,
{
    let mut out = Vec::new();
    loop {
        let read = read(stream).await?;
        if read.is_empty() {
            // By TLS he is told goodbye. He may not be there any more to hear it.
            let _closed = stream.shutdown().await;
            return Ok(End::Closed);
        }
        let Some((request, raw_head, bytes)) = usual(&read) else {
            stream.put_back(read);
            return Ok(End::Unusual(None));
        };
        head.take_up();
        let answered = answer(request, raw_head).await;
        if !is_usual(&answered) {
            stream.put_back(read);
            return Ok(End::Unusual(Some(Box::new(answered))));
        }
        if bytes < read.len() {
            stream.keep_ahead(read.slice(bytes..));
        }
        drop(read);
        let is_last = !stop.has_changed().is_ok_and(|is_new| !is_new);
        let body = write(answered, is_last, &mut out);
        stream.write_all(&out).await?;
        if let Some(body) = body {
            stream.write_all(&body).await?;
        }
        stream.flush().await?;
        if is_last {
            stream.shutdown().await?;
            return Ok(End::Closed);
        }
        out.clear();
        out.shrink_to(KEPT_BYTES_MAX);
    }
}

/// What comes next on a connection, as much of it as there is; nothing at its end.
async fn read<S: AsyncRead + Unpin>(stream: &mut Remembering<S>) -> io::Result<Bytes> {
    let ahead = stream.take_ahead();
    if !ahead.is_empty() {
        return Ok(ahead);
    }
    poll_fn(|cx| {
        let mut room = [MaybeUninit::uninit(); REQUEST_BYTES_MAX];
        let mut read = ReadBuf::uninit(&mut room);
        ready!(stream.poll_read_new(cx, &mut read))?;
        io::Result::Ok(Bytes::copy_from_slice(read.filled())).into()
    })
    .await
}

/// The request at the beginning of what was read, its head as it came, and how many bytes it has. Nothing if it is unusual.
fn usual(read: &Bytes) -> Option<(Request<Received>, Bytes, usize)> {
    // Empty lines may come before a request. They are none of its head.
    (!read.starts_with(b"\r") && !read.starts_with(b"\n")).then_some(())?;
    let mut headers = [MaybeUninit::uninit(); HEADERS_MAX];
    let mut head = httparse::Request::new(&mut []);
    let Ok(httparse::Status::Complete(head_bytes)) = head.parse_with_uninit_headers(read, &mut headers)
    else {
        return None;
    };
    (head.version == Some(1)).then_some(())?;
    let method = Method::from_bytes(head.method?.as_bytes()).ok()?;
    (method != Method::CONNECT && method != Method::HEAD).then_some(())?;
    let uri = Uri::from_maybe_shared(read.slice_ref(head.path?.as_bytes())).ok()?;
    let (headers, body_bytes) = usual_headers(read, head.headers)?;
    let bytes = head_bytes + body_bytes;
    (bytes <= read.len()).then_some(())?;
    let mut request = Request::new(Received::from(read.slice(head_bytes..bytes)));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers;
    Some((request, read.slice(..head_bytes), bytes))
}

/// A request's headers, and how long they say that its body is.
fn usual_headers(read: &Bytes, headers: &[httparse::Header<'_>]) -> Option<(HeaderMap, usize)> {
    let mut map = HeaderMap::with_capacity(headers.len());
    let mut body_bytes = None;
    for header in headers {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        match name {
            TRANSFER_ENCODING | EXPECT | UPGRADE => return None,
            CONNECTION => header.value.eq_ignore_ascii_case(b"keep-alive").then_some(())?,
            CONTENT_LENGTH => {
                body_bytes.is_none().then_some(())?;
                body_bytes = Some(length(header.value)?);
            }
            _ => {}
        }
        let value = match header.value {
            [] => HeaderValue::from_static(""),
            value => HeaderValue::from_maybe_shared(read.slice_ref(value)).ok()?,
        };
        map.append(name, value);
    }
    Some((map, body_bytes.unwrap_or(0)))
}

/// Digits only, as RFC 9110 §8.6 has it, and no more of them than any length here needs.
fn length(value: &[u8]) -> Option<usize> {
    let is_number = !value.is_empty() && value.len() <= 9 && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| value.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')))
}

/// Is it an answer with a body that is there and whose head says nothing about the connection?
fn is_usual<B>(answer: &Answered<B>) -> bool {
    let has_body = |status: StatusCode| {
        !status.is_informational() && status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED
    };
    let is_about_the_connection = |name: &HeaderName| {
        matches!(*name, CONTENT_LENGTH | TRANSFER_ENCODING | CONNECTION | UPGRADE | TRAILER)
    };
    matches!(answer.body(), Either::Left(_))
        && has_body(answer.status())
        && answer.status().canonical_reason().is_some()
        && !answer.headers().keys().any(is_about_the_connection)
}

/// Writes an answer, or its head if its body is long, which is given back then.
fn write<B>(answer: Answered<B>, is_last: bool, out: &mut Vec<u8>) -> Option<Bytes> {
    let (head, body) = answer.into_parts();
    let body = match body {
        Either::Left(whole) => whole.into_inner().unwrap_or_default(),
        Either::Right(_) => Bytes::new(),
    };
    if head.status == StatusCode::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    } else {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(head.status.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(head.status.canonical_reason().unwrap_or_default().as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    let mut says_date = false;
    for (name, value) in &head.headers {
        says_date |= *name == DATE;
        write_header(name.as_str(), value.as_bytes(), out);
    }
    if is_last {
        write_header("connection", b"close", out);
    }
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
    if says_date {
        out.extend_from_slice(b"\r\n\r\n");
    } else {
        with_date(|end| out.extend_from_slice(end));
    }
    if body.len() > COPIED_BYTES_MAX {
        return Some(body);
    }
    out.extend_from_slice(&body);
    None
}

fn write_header(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// How a head ends after a header's value, with a date as HTTP has it.
const END: &[u8; END_BYTES] = b"\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
const END_BYTES: usize = 41;
/// Where the date stands in it.
const DATE_AT: Range<usize> = 8..37;

/// Gives a head's end with the time of day, which is written anew once a second.
fn with_date(write: impl FnOnce(&[u8])) {
    thread_local! {
        static LAST: Cell<(u64, [u8; END_BYTES])> = const { Cell::new((0, *END)) };
    }
    // Some milliseconds old, and read without a look at the processor's counter.
    let now_s = u64::try_from(clock_gettime(ClockId::RealtimeCoarse).tv_sec).unwrap_or_default();
    let (second, mut end) = LAST.get();
    if second != now_s {
        let text = HttpDate::from(UNIX_EPOCH + Duration::from_secs(now_s)).to_string();
        end[DATE_AT].copy_from_slice(text.as_bytes());
        LAST.set((now_s, end));
    }
    write(&end);
}

#[cfg(test)]
mod tests;
