//! Accepts connections, serves HTTP on them, and drains them in the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::dispatch::Dispatch;
use crate::raw_head::{RawHead, Remembering};

/// A client that takes longer than this, and at most twice as long, for a request's head is hung up on. One timer a
/// connection, rather than one a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// How long answers under way may take after the server was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(35);
/// A connection's read buffer: the head of a request must fit.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Serves until `stop` says so, then lets the requests under way finish.
pub async fn run(listener: TcpListener, dispatch: Arc<Dispatch>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, dispatch.clone(), stop.clone()));
                    // Reaps what has ended, so that the set doesn't grow with the connections ever seen.
                    while connections.try_join_next().is_some() {}
                }
                Err(error) => {
                    // Out of descriptors, most likely; those that end make room.
                    tracing::warn!(%error, "can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!(left = connections.len(), "connections still busy, closing them");
    }
}

/// Ends when a request's head has been on its way for too long.
async fn stalled(head: &RawHead) {
    let mut ticks = tokio::time::interval(HEAD_TIMEOUT);
    let mut seen = None;
    loop {
        ticks.tick().await;
        let now = head.unfinished();
        if now.is_some() && now == seen {
            return;
        }
        seen = now;
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    dispatch: Arc<Dispatch>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and complete: waiting to fill a packet only adds latency.
    let _best_effort = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(peer);
    let (stream, head) = Remembering::new(stream);
    let (dispatch, arriving) = (&dispatch, &head);
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<Response<Full<Bytes>>, std::convert::Infallible>(
            dispatch.answer(request, peer, local, arriving).await,
        )
    });
    let served = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES_MAX)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stalled(&head) => {
            tracing::debug!(%peer, "a request's head took too long");
            return;
        }
        _ = stop.changed() => {
            served.as_mut().graceful_shutdown();
            tokio::select! {
                ended = served => ended,
                () = stalled(&head) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}
