//! Accepts connections, serves HTTP on them, and drains them in the end.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::dispatch::{Answer, Client, Dispatch};
use crate::raw_head::{RawHead, Remembering};

/// A client that takes longer than this, and at most twice as long, for a request's head is hung up on.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// How long answers under way may take after the server was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(35);
/// A connection's read buffer: the head of a request must fit.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Serves until `stop` says so, then lets the requests under way finish.
pub async fn run(listener: TcpListener, dispatch: Arc<Dispatch>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut heads = Heads::default();
    let mut ticks = tokio::time::interval(HEAD_TIMEOUT);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (stream, head) = Remembering::new(stream);
                    let weak = Arc::downgrade(&head);
                    let handle =
                        connections.spawn(connection(stream, head, peer, dispatch.clone(), stop.clone()));
                    heads.watch(weak, handle, connections.len());
                    // Reaps what has ended, so that the set doesn't grow with the connections ever seen.
                    while connections.try_join_next().is_some() {}
                }
                Err(error) => {
                    // Out of descriptors, most likely; those that end make room.
                    tracing::warn!(%error, "can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
            _ = ticks.tick() => heads.hang_up_on_stalled(),
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    let drained = async {
        loop {
            tokio::select! {
                ended = connections.join_next() => if ended.is_none() { return },
                _ = ticks.tick() => heads.hang_up_on_stalled(),
            }
        }
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!(left = connections.len(), "connections still busy, closing them");
    }
}

/// The heads of all connections' requests, looked at now and then, so that no request pays for a timer.
#[derive(Default)]
struct Heads(Vec<Watched>);

struct Watched {
    head: Weak<RawHead>,
    connection: AbortHandle,
    /// The request whose head was on its way at the last look.
    seen: Option<u64>,
}

impl Heads {
    /// Of connections that have ended no more are kept than there are others.
    fn watch(&mut self, head: Weak<RawHead>, connection: AbortHandle, alive: usize) {
        if self.0.len() > 2 * alive + 64 {
            self.0.retain(|watched| watched.head.strong_count() > 0);
        }
        self.0.push(Watched { head, connection, seen: None });
    }

    fn hang_up_on_stalled(&mut self) {
        self.0.retain_mut(|watched| {
            let Some(head) = watched.head.upgrade() else { return false };
            let now = head.unfinished();
            let is_stalled = now.is_some() && now == watched.seen;
            if is_stalled {
                tracing::debug!("a request's head took too long");
                watched.connection.abort();
            }
            watched.seen = now;
            !is_stalled
        });
    }
}

async fn connection(
    stream: Remembering<TcpStream>,
    head: Arc<RawHead>,
    peer: SocketAddr,
    dispatch: Arc<Dispatch>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and complete: waiting to fill a packet only adds latency.
    let _best_effort = stream.get_ref().set_nodelay(true);
    let local = stream.get_ref().local_addr().unwrap_or(peer);
    let client = Client::new(peer, local);
    let (dispatch, client, arriving) = (&dispatch, &client, &head);
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<Response<Answer>, std::convert::Infallible>(dispatch.answer(request, client, arriving).await)
    });
    let served = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES_MAX)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        _ = stop.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn who_stalls_for_two_looks_is_hung_up_on() {
        let (near, mut far) = tokio::io::duplex(1024);
        let (mut near, head) = Remembering::new(near);
        let mut connections = JoinSet::new();
        let mut heads = Heads::default();
        heads.watch(Arc::downgrade(&head), connections.spawn(std::future::pending::<()>()), 1);
        let mut buffer = [0; 64];
        for _ in 0..2 {
            far.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            let _length = near.read(&mut buffer).await.unwrap();
            heads.hang_up_on_stalled();
            assert!(connections.try_join_next().is_none(), "its head has just begun");
            head.take();
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        }
        far.write_all(b"GET").await.unwrap();
        let _length = near.read(&mut buffer).await.unwrap();
        heads.hang_up_on_stalled();
        heads.hang_up_on_stalled();
        assert!(connections.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert!(heads.0.is_empty());
    }
}
