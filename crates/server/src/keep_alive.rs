//! Serves HTTP/1 on a connection, and keeps nothing but its socket while it is idle.
//!
//! Requests are served as usual ones ([`usual`]) until there is one that isn't; then hyper serves the connection. hyper holds two buffers of
//! 8 KB and room for an answer's future with each connection, also when nothing comes for hours. So its part is taken down when a
//! connection falls silent between two requests, and what is next is taken for a usual request again.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Either};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use crate::listen::FIRST_BYTE_TIMEOUT;
use crate::raw_head::{RawHead, Remembering};
use crate::received::Received;
use crate::usual::{self, Answered, End};

/// A connection's read buffer: the head of a request must fit.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// A connection that had no more than one request in such a time, and is between two, is idle. To take hyper's part down and put it up
/// costs some two microseconds, so that busy connections are left alone.
const IDLE_AFTER: Duration = Duration::from_millis(100);
/// While one request takes long, it is looked at ever less often, down to this.
const LOOK_EVERY_MAX: Duration = Duration::from_secs(3);

/// Serves until the client hangs up or is idle for too long, or until `stop` says so and what is under way has been answered. `answer` gets
/// each request with its head as it came, or nothing where that is unknown, as with pipelined requests.
///
/// # Errors
/// When the connection breaks, or what comes is no HTTP.
pub async fn serve<S, A, F, B>(
    stream: S,
    head: &Arc<RawHead>,
    stop: &mut watch::Receiver<bool>,
    answer: A,
) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Request<Received>, Bytes) -> F,
    F: Future<Output = Answered<B>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut stream = Remembering::new(stream, head.clone());
    loop {
        // Boxes are given back, for the connection's task keeps room for the largest that it ever waits for.
        let idle = match Box::pin(usually(stream, head, stop, &answer)).await? {
            Served::Idle(stream) => Some(stream),
            Served::Ended => None,
            Served::Unusual(stream, answered) => {
                Box::pin(through_hyper(stream, head, stop, &answer, answered)).await?
            }
        };
        let Some(idle) = idle else { return Ok(()) };
        stream = idle;
        let has_more = tokio::select! {
            biased;
            has_more = stream.has_more() => has_more.unwrap_or(false),
            () = head.told_to_hang_up() => false,
            _ = stop.changed() => {
                // For whoever waits for it after this.
                stop.mark_changed();
                false
            }
        };
        if !has_more {
            // Nothing was under way, so there is nothing that an error here could spoil.
            let _closed = stream.shutdown().await;
            return Ok(());
        }
    }
}

/// What became of a connection with usual requests.
enum Served<S, B> {
    Ended,
    /// Nothing is under way on it any more.
    Idle(Remembering<S>),
    /// A request isn't usual, or its answer is not, which is given then.
    Unusual(Remembering<S>, Option<Box<Answered<B>>>),
}

async fn usually<S, A, F, B>(
    mut stream: Remembering<S>,
    head: &RawHead,
    stop: &mut watch::Receiver<bool>,
    answer: &A,
) -> anyhow::Result<Served<S, B>>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Request<Received>, Bytes) -> F,
    F: Future<Output = Answered<B>>,
{
    let glance = stop.clone();
    let watched = {
        let mut served = std::pin::pin!(usual::serve(&mut stream, head, &glance, answer));
        match watch(&mut served, head, stop).await {
            // It sees by itself that this is the last one.
            Watched::Stop if !head.is_between_requests() => Watched::Ended(served.await),
            watched => watched,
        }
    };
    match watched {
        Watched::Idle => Ok(Served::Idle(stream)),
        Watched::Ended(ended) => match ended? {
            End::Closed => Ok(Served::Ended),
            End::Unusual(answered) => {
                if glance.has_changed().is_ok_and(|is_new| is_new) {
                    // For hyper's part.
                    stop.mark_changed();
                }
                Ok(Served::Unusual(stream, answered))
            }
        },
        Watched::Stop => {
            // Nothing was under way.
            let _closed = stream.shutdown().await;
            Ok(Served::Ended)
        }
        Watched::Silent => Ok(Served::Ended),
    }
}

/// The stream once nothing is under way on it any more; nothing when the connection has ended. `answered` is the answer to the first
/// request.
async fn through_hyper<S, A, F, B>(
    stream: Remembering<S>,
    head: &RawHead,
    stop: &mut watch::Receiver<bool>,
    answer: &A,
    answered: Option<Box<Answered<B>>>,
) -> anyhow::Result<Option<Remembering<S>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Request<Received>, Bytes) -> F,
    F: Future<Output = Answered<B>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let answered = Cell::new(answered);
    let service = service_fn(move |request: Request<Incoming>| {
        // Taken up at once, before the answer is waited for.
        let (raw_head, answered) = (head.take(), answered.take());
        async move {
            let Some(answered) = answered else {
                return Ok::<_, Infallible>(answer(request.map(Received::from), raw_head.into()).await);
            };
            // Its body is here already.
            let _read = request.into_body().collect().await;
            if matches!(answered.body(), Either::Left(_)) {
                head.answered();
            }
            Ok(*answered)
        }
    });
    let mut served = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES_MAX)
        // Head and body in one write. `pipeline_flush` would do that too, but takes all of a body that is there, however slow its client is.
        .writev(false)
        // Who goes away before the answer is answered all the same, as by AWS: what he asked for happens and is counted. And hyper needn't
        // look for it, with a new buffer for each request.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    match watch(&mut served, head, stop).await {
        Watched::Ended(ended) => Ok(ended.map(|()| None)?),
        Watched::Idle => {
            let parts = served.into_parts();
            let mut stream = parts.io.into_inner();
            stream.put_back(parts.read_buf);
            Ok(Some(stream))
        }
        Watched::Stop => {
            Pin::new(&mut served).graceful_shutdown();
            Ok(served.await.map(|()| None)?)
        }
        Watched::Silent => Ok(None),
    }
}

/// What became of a connection that is served.
enum Watched<E> {
    Ended(E),
    /// Nothing is under way on it, and it isn't busy.
    Idle,
    /// The server stops, and the client has sent something by now.
    Stop,
    /// The server stops, and the client has never sent anything.
    Silent,
}

async fn watch<F: Future + Unpin>(
    served: &mut F,
    head: &RawHead,
    stop: &mut watch::Receiver<bool>,
) -> Watched<F::Output> {
    let mut wait = IDLE_AFTER;
    // That nothing comes is no event: only a look at the clock finds it.
    let mut look = std::pin::pin!(tokio::time::sleep(wait));
    let mut requests = head.requests() + 1;
    loop {
        match next(served, stop, look.as_mut()).await {
            Event::Ended(ended) => return Watched::Ended(ended),
            Event::Stop => break,
            Event::Look => {
                let now = head.requests();
                if now <= requests && head.is_between_requests() {
                    return Watched::Idle;
                }
                wait = if now == requests { LOOK_EVERY_MAX.min(2 * wait) } else { IDLE_AFTER };
                requests = now;
                look.as_mut().reset(Instant::now() + wait);
            }
        }
    }
    // To be asked nothing more before anything was asked makes hyper wait for ever.
    let first_byte = poll_fn(|cx| match Pin::new(&mut *served).poll(cx) {
        Poll::Ready(ended) => Poll::Ready(Watched::Ended(ended)),
        Poll::Pending if head.is_untouched() => Poll::Pending,
        Poll::Pending => Poll::Ready(Watched::Stop),
    });
    tokio::time::timeout(FIRST_BYTE_TIMEOUT, first_byte).await.unwrap_or(Watched::Silent)
}

/// What may happen to a connection that is served.
enum Event<E> {
    Ended(E),
    Stop,
    Look,
}

/// The next of these. Stop and look are rare, and to ask for them takes locks that all connections share: once they know whom to wake,
/// a request that wakes the connection pays for a glance at each.
async fn next<F: Future + Unpin>(
    served: &mut F,
    stop: &mut watch::Receiver<bool>,
    mut look: Pin<&mut Sleep>,
) -> Event<F::Output> {
    let glance = stop.clone();
    let mut stopped = std::pin::pin!(stop.changed());
    let mut woken: Option<Waker> = None;
    poll_fn(|cx| {
        if let Poll::Ready(ended) = Pin::new(&mut *served).poll(cx) {
            return Poll::Ready(Event::Ended(ended));
        }
        let is_known = woken.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if is_known && glance.has_changed().is_ok_and(|is_new| !is_new) && !look.is_elapsed() {
            return Poll::Pending;
        }
        woken = Some(cx.waker().clone());
        if stopped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Event::Stop);
        }
        look.as_mut().poll(cx).map(|()| Event::Look)
    })
    .await
}

#[cfg(test)]
mod tests;
