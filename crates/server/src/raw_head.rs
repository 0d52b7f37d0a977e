//! Remembers the bytes of a request's head as they came, because hyper lower-cases header names and API Gateway shows
//! functions the caller's own spelling.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// More of a head than this isn't remembered; names are then shown in the usual spelling.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What a connection has read of the head of its current request, until that is taken up.
#[derive(Debug, Default)]
pub struct RawHead(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Has the request been taken up? What is read then is its body.
    is_taken_up: bool,
    /// Counts the requests, so that two looks can tell whether they see the same one.
    request: u64,
}

impl RawHead {
    /// The bytes from the start of the current request, which is taken up with this. Empty when they are unknown, as with
    /// pipelined requests.
    pub fn take(&self) -> Vec<u8> {
        let mut state = self.state();
        state.is_taken_up = true;
        std::mem::take(&mut state.bytes)
    }

    /// The number of the request whose head has begun to arrive and isn't complete.
    pub fn unfinished(&self) -> Option<u64> {
        let state = self.state();
        (!state.is_taken_up && !state.bytes.is_empty()).then_some(state.request)
    }

    /// Has nothing come on this connection yet?
    pub fn is_untouched(&self) -> bool {
        let state = self.state();
        state.request == 0 && !state.is_taken_up && state.bytes.is_empty()
    }

    fn append(&self, bytes: &[u8]) {
        let mut state = self.state();
        if !state.is_taken_up {
            let room = HEAD_BYTES_MAX.saturating_sub(state.bytes.len());
            state.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// The answer begins: what is read from now on is the next request.
    fn clear(&self) {
        let mut state = self.state();
        state.bytes.clear();
        state.request += u64::from(std::mem::take(&mut state.is_taken_up));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that keeps a [`RawHead`] up to date.
pub struct Remembering<S> {
    stream: S,
    head: Arc<RawHead>,
}

impl<S> Remembering<S> {
    pub fn new(stream: S, head: Arc<RawHead>) -> Remembering<S> {
        Remembering { stream, head }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Remembering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
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
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.head.clear();
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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
}
