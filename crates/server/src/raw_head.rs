//! Remembers the bytes of a request's head as they came, because hyper lower-cases header names and API Gateway shows
//! functions the caller's own spelling; and whether the connection is between two requests.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::usual::REQUEST_BYTES_MAX;

/// More of a head than this isn't remembered; names are then shown in the usual spelling.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What a connection has read of the head of its current request, until that is taken up.
#[derive(Debug, Default)]
pub struct RawHead {
    bytes: Mutex<Vec<u8>>,
    /// A [`Progress`] in one word, so that others see one of its moments. Only the connection's own task changes it: a request pays for
    /// no lock on it.
    progress: AtomicU64,
    /// Rings when the connection has been idle for too long.
    hang_up: Notify,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Counts the requests, so that two looks can tell whether they see the same one.
    request: u64,
    /// Has something been read of a request that isn't taken up?
    has_begun: bool,
    /// Has the request been taken up? What is read then is its body.
    is_taken_up: bool,
    answer: Writing,
}

/// How far the answer to the last request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// There is none, or it is still being made.
    Awaited,
    /// It is there as a whole.
    Complete,
    /// All of it was taken by the socket.
    Written,
    /// The connection is being closed.
    Closed,
}

impl RawHead {
    /// The bytes from the start of the current request, which is taken up with this. Empty when they are unknown, as with
    /// pipelined requests.
    pub fn take(&self) -> Vec<u8> {
        let has_begun = self.progress().has_begun;
        self.change(|now| {
            now.is_taken_up = true;
            now.has_begun = false;
            now.answer.becomes(Writing::Awaited);
        });
        if has_begun { std::mem::take(&mut self.bytes()) } else { Vec::new() }
    }

    /// Takes up the current request, whose beginning its reader has himself.
    pub fn take_up(&self) {
        let _known = self.take();
    }

    /// The request was read to its end, and hyper has its whole answer, or is about to.
    pub fn answered(&self) {
        self.change(|now| now.answer.becomes(Writing::Complete));
    }

    /// How many requests were answered, at least in part.
    pub fn requests(&self) -> u64 {
        self.progress().request
    }

    /// Is the last request's answer written, and nothing of the next one read? Whoever serves the connection has nothing in his hands
    /// then.
    pub fn is_between_requests(&self) -> bool {
        let now = self.progress();
        now.answer == Writing::Written && !now.is_taken_up && !now.has_begun
    }

    /// The number of the request whose head has begun to arrive and isn't complete.
    pub fn unfinished(&self) -> Option<u64> {
        let now = self.progress();
        now.has_begun.then_some(now.request)
    }

    /// Has nothing come on this connection yet?
    pub fn is_untouched(&self) -> bool {
        let now = self.progress();
        now.request == 0 && !now.is_taken_up && !now.has_begun
    }

    /// Tells whoever serves the connection to end it once it is between two requests.
    pub fn hang_up(&self) {
        self.hang_up.notify_one();
    }

    /// Waits until [`RawHead::hang_up`] says so.
    pub async fn told_to_hang_up(&self) {
        self.hang_up.notified().await;
    }

    fn append(&self, read: &[u8]) {
        let now = self.progress();
        if now.is_taken_up || read.is_empty() {
            return;
        }
        let mut bytes = self.bytes();
        let room = HEAD_BYTES_MAX.saturating_sub(bytes.len());
        bytes.extend_from_slice(&read[..read.len().min(room)]);
        drop(bytes);
        if !now.has_begun {
            self.change(|now| now.has_begun = true);
        }
    }

    /// The answer begins, or goes on: what is read from now on is the next request.
    fn clear(&self) {
        if self.progress().has_begun {
            self.bytes().clear();
        }
        self.change(|now| {
            now.has_begun = false;
            now.request += u64::from(std::mem::take(&mut now.is_taken_up));
            if now.answer == Writing::Written {
                now.answer = Writing::Complete;
            }
        });
    }

    /// The socket has taken all that there was.
    fn flushed(&self) {
        self.change(|now| {
            if now.answer == Writing::Complete {
                now.answer = Writing::Written;
            }
        });
    }

    fn closed(&self) {
        self.change(|now| now.answer = Writing::Closed);
    }

    fn progress(&self) -> Progress {
        Progress::of(self.progress.load(Ordering::Acquire))
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        let mut now = self.progress();
        change(&mut now);
        self.progress.store(now.word(), Ordering::Release);
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    const HAS_BEGUN: u64 = 1 << 2;
    const IS_TAKEN_UP: u64 = 1 << 3;
    /// Where the count begins.
    const REQUEST: u32 = 4;

    /// Of the word 0: nothing has come yet.
    fn of(word: u64) -> Progress {
        let answer = match word & 3 {
            0 => Writing::Awaited,
            1 => Writing::Complete,
            2 => Writing::Written,
            _ => Writing::Closed,
        };
        Progress {
            request: word >> Progress::REQUEST,
            has_begun: word & Progress::HAS_BEGUN != 0,
            is_taken_up: word & Progress::IS_TAKEN_UP != 0,
            answer,
        }
    }

    fn word(self) -> u64 {
        let flag = |is_set: bool, bit: u64| if is_set { bit } else { 0 };
        self.request << Progress::REQUEST
            | flag(self.has_begun, Progress::HAS_BEGUN)
            | flag(self.is_taken_up, Progress::IS_TAKEN_UP)
            | self.answer as u64
    }
}

impl Writing {
    /// A connection that is being closed stays that.
    fn becomes(&mut self, next: Writing) {
        if *self != Writing::Closed {
            *self = next;
        }
    }
}

/// The body of an answer that comes piece by piece to a request that was read to its end. hyper lets go of it when it has taken all that
/// there is, before it writes the last of it.
pub struct Streamed<B: Body> {
    body: B,
    head: Arc<RawHead>,
    /// Why the body has broken off, until hyper has written what it took before.
    broken: Option<B::Error>,
}

impl<B: Body> Streamed<B> {
    pub fn new(body: B, head: Arc<RawHead>) -> Streamed<B> {
        Streamed { body, head, broken: None }
    }
}

impl<B: Body> Drop for Streamed<B> {
    fn drop(&mut self) {
        self.head.answered();
    }
}

impl<B: Body<Error: Unpin> + Unpin> Body for Streamed<B> {
    type Data = B::Data;
    type Error = B::Error;

    /// hyper closes the connection at an error and forgets what it hasn't written, the answer's head among it. So it is told at the next
    /// question: in between it writes.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Err(error)) => {
                self.broken = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            other => Poll::Ready(other),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.broken.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that keeps a [`RawHead`] up to date.
pub struct Remembering<S> {
    stream: S,
    head: Arc<RawHead>,
    /// Was read, and remembered, before somebody asked for it.
    ahead: Bytes,
    /// The last write took all that it was given, and it may be on its way to the socket still.
    is_all_written: bool,
}

impl<S> Remembering<S> {
    pub fn new(stream: S, head: Arc<RawHead>) -> Remembering<S> {
        Remembering { stream, head, ahead: Bytes::new(), is_all_written: false }
    }

    /// Gives back what was read last and not used.
    pub fn put_back(&mut self, unused: Bytes) {
        // Where nothing is left it may still hold the buffer that it was read into.
        if unused.is_empty() {
            return;
        }
        // It came together with the request before, whose answer has begun since: it is the beginning of the next.
        if self.head.unfinished().is_none() {
            self.head.append(&unused);
        }
        self.ahead = match self.ahead.is_empty() {
            true => unused,
            false => [&*unused, &*self.ahead].concat().into(),
        };
    }

    /// What was read ahead, to whoever remembers it himself.
    pub fn take_ahead(&mut self) -> Bytes {
        std::mem::take(&mut self.ahead)
    }

    /// Keeps what was read behind a request, to be taken, or put back, before anything else is read.
    pub fn keep_ahead(&mut self, rest: Bytes) {
        self.ahead = rest;
    }
}

impl<S: AsyncRead + Unpin> Remembering<S> {
    /// Waits for bytes without holding a buffer for them; they are read next. False at the end of the stream.
    pub async fn has_more(&mut self) -> io::Result<bool> {
        if self.ahead.is_empty() {
            self.ahead = poll_fn(|cx| {
                let mut room = [MaybeUninit::uninit(); REQUEST_BYTES_MAX];
                let mut read = ReadBuf::uninit(&mut room);
                ready!(Pin::new(&mut *self).poll_read(cx, &mut read))?;
                Poll::Ready(io::Result::Ok(Bytes::copy_from_slice(read.filled())))
            })
            .await?;
        }
        Ok(!self.ahead.is_empty())
    }

    /// Reads from the socket for whoever remembers it himself.
    pub fn poll_read_new(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Remembering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let length = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead[..length]);
            self.ahead.advance(length);
            if self.ahead.is_empty() {
                self.ahead = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if polled.is_ready() {
            self.head.append(&buf.filled()[before..]);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Remembering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.head.clear();
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.is_all_written = matches!(&polled, Poll::Ready(Ok(length)) if *length == buf.len());
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.head.clear();
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        let all = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        self.is_all_written = matches!(&polled, Poll::Ready(Ok(length)) if *length == all);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if std::mem::take(&mut self.is_all_written) {
            self.head.flushed();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.head.closed();
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_head_is_remembered_until_the_answer_begins() {
        let (near, mut far) = tokio::io::duplex(1024);
        let head = Arc::new(RawHead::default());
        let mut near = Remembering::new(near, head.clone());
        far.write_all(b"GET / HTTP/1.1\r\nX-Odd: 1\r\n\r\n").await.unwrap();
        let mut buf = [0; 64];
        let _length = near.read(&mut buf).await.unwrap();
        assert_eq!(head.take(), b"GET / HTTP/1.1\r\nX-Odd: 1\r\n\r\n");
        far.write_all(b"body").await.unwrap();
        let _length = near.read(&mut buf).await.unwrap();
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        assert!(head.take().is_empty());
    }

    #[tokio::test]
    async fn a_head_without_end_is_not_kept() {
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        let head = Arc::new(RawHead::default());
        let mut near = Remembering::new(near, head.clone());
        far.write_all(&[b'a'; 40_000]).await.unwrap();
        let mut buf = vec![0; 40_000];
        near.read_exact(&mut buf).await.unwrap();
        assert_eq!(head.unfinished(), Some(0));
        assert_eq!(head.take().len(), HEAD_BYTES_MAX);
        assert_eq!(head.unfinished(), None);
    }

    #[tokio::test]
    async fn what_was_read_ahead_is_read_next_and_remembered_once() {
        let (near, mut far) = tokio::io::duplex(1024);
        let head = Arc::new(RawHead::default());
        let mut near = Remembering::new(near, head.clone());
        far.write_all(b"lo world").await.unwrap();
        assert!(near.has_more().await.unwrap());
        near.put_back(Bytes::from_static(b"hel"));
        assert!(near.has_more().await.unwrap(), "nothing is lost by asking again");
        far.write_all(b"!").await.unwrap();
        drop(far);
        let mut buf = [0; 5];
        near.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"hello");
        let mut rest = String::new();
        near.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, " world!");
        assert_eq!(head.take(), b"lo world!", "what is put back was remembered before");
        assert!(!near.has_more().await.unwrap());
    }

    #[tokio::test]
    async fn nothing_put_back_holds_no_buffer() {
        struct Buffer(Arc<[u8; 4]>);
        impl AsRef<[u8]> for Buffer {
            fn as_ref(&self) -> &[u8] {
                &*self.0
            }
        }
        let held = Arc::new(*b"read");
        let mut used = Bytes::from_owner(Buffer(held.clone()));
        used.advance(4);
        let (near, _far) = tokio::io::duplex(1);
        let mut near = Remembering::new(near, Arc::default());
        near.put_back(used);
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test]
    async fn a_connection_is_between_requests_once_the_whole_answer_is_written() {
        let (near, mut far) = tokio::io::duplex(8);
        let head = Arc::new(RawHead::default());
        let mut near = Remembering::new(near, head.clone());
        assert!(!head.is_between_requests(), "nothing has come yet");
        far.write_all(b"GET /").await.unwrap();
        let mut buf = [0; 16];
        let _length = near.read(&mut buf).await.unwrap();
        head.take();
        near.write_all(b"100").await.unwrap();
        near.flush().await.unwrap();
        assert!(!head.is_between_requests(), "there is no answer yet");
        head.answered();
        assert!(!head.is_between_requests(), "it isn't written");
        assert_eq!(near.write(b"HTTP/1.1").await.unwrap(), 5, "of eight");
        near.flush().await.unwrap();
        assert!(!head.is_between_requests(), "a part of it is");
        let _length = far.read(&mut buf).await.unwrap();
        near.write_all(b"1.1").await.unwrap();
        assert!(!head.is_between_requests(), "it may be with TLS still");
        near.flush().await.unwrap();
        assert!(head.is_between_requests());
        far.write_all(b"G").await.unwrap();
        let _length = near.read(&mut buf).await.unwrap();
        assert!(!head.is_between_requests(), "the next one has begun");
    }

    #[tokio::test]
    async fn a_connection_that_is_being_closed_is_not_kept() {
        let (near, _far) = tokio::io::duplex(64);
        let head = Arc::new(RawHead::default());
        let mut near = Remembering::new(near, head.clone());
        near.shutdown().await.unwrap();
        head.take();
        head.answered();
        near.flush().await.unwrap();
        assert!(!head.is_between_requests());
    }
}
