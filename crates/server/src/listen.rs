//! Accepts connections, serves HTTP on them, and drains them in the end.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::dispatch::{Client, Dispatch};
use crate::keep_alive;
use crate::raw_head::RawHead;
use crate::tls::Tls;

/// A client that takes longer than this, and at most twice as long, for a request's head is hung up on.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// How long answers under way may take after the server was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(35);
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long who has connected, and is told to stop, may take for the first byte of his first request.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(1);
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;
/// Bytes of all headers of one HTTP/2 request.
const HEADER_LIST_BYTES_MAX: u32 = 64 * 1024;
/// An HTTP/2 connection that was silent for so long is asked whether anybody is there; who doesn't answer in
/// [`HEAD_TIMEOUT`] is hung up on.
const SILENCE: Duration = Duration::from_secs(60);

/// Serves until `stop` says so, then lets the requests under way finish.
pub async fn run(
    listener: TcpListener,
    dispatch: Arc<Dispatch>,
    tls: Arc<Tls>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut heads = Heads::default();
    let mut ticks = tokio::time::interval(HEAD_TIMEOUT);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let head = Arc::new(RawHead::default());
                    let weak = Arc::downgrade(&head);
                    let serving = connection(stream, head, peer, dispatch.clone(), tls.clone(), stop.clone());
                    let handle = connections.spawn(serving);
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

/// What a client speaks, by its first bytes.
#[derive(Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
    Tls,
}

impl Protocol {
    /// HTTP/2 with prior knowledge begins with a method that HTTP/1 doesn't have, TLS with a byte that no text does.
    fn of(first: &[u8]) -> Protocol {
        match first {
            [0x16, ..] => Protocol::Tls,
            [b'P', b'R', b'I', b' ', ..] => Protocol::Http2,
            _ => Protocol::Http1,
        }
    }
}

async fn connection(
    stream: TcpStream,
    head: Arc<RawHead>,
    peer: SocketAddr,
    dispatch: Arc<Dispatch>,
    tls: Arc<Tls>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and complete: waiting to fill a packet only adds latency.
    let _best_effort = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(peer);
    let mut first = [0; 4];
    let peeked = tokio::select! {
        peeked = stream.peek(&mut first) => peeked,
        _ = stop.changed() => {
            // He was accepted, so his request may be on its way.
            stop.mark_changed();
            match tokio::time::timeout(FIRST_BYTE_TIMEOUT, stream.peek(&mut first)).await {
                Ok(peeked) => peeked,
                Err(_) => return,
            }
        }
    };
    let protocol = Protocol::of(&first[..peeked.unwrap_or(0)]);
    let ended = match protocol {
        Protocol::Http1 => {
            let client = Client::new(peer, local, "http");
            http1(stream, &head, &client, &dispatch, &mut stop).await
        }
        // What takes more memory is in a box of its own, so that plain connections that wait take little.
        Protocol::Http2 => {
            drop(head);
            Box::pin(http2(stream, Client::new(peer, local, "http"), dispatch, &mut stop)).await
        }
        Protocol::Tls => Box::pin(secure(stream, head, (peer, local), dispatch, &tls, &mut stop)).await,
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

async fn secure(
    stream: TcpStream,
    head: Arc<RawHead>,
    (peer, local): (SocketAddr, SocketAddr),
    dispatch: Arc<Dispatch>,
    tls: &Tls,
    stop: &mut watch::Receiver<bool>,
) -> hyper::Result<()> {
    let Some(acceptor) = tls.acceptor() else { return Ok(()) };
    let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
    let Ok(Ok(stream)) = shaken else {
        tracing::debug!(%peer, "a TLS handshake failed");
        return Ok(());
    };
    let client = Client::new(peer, local, "https");
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        drop(head);
        http2(stream, client, dispatch, stop).await
    } else {
        http1(stream, &head, &client, &dispatch, stop).await
    }
}

async fn http1<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    head: &Arc<RawHead>,
    client: &Client,
    dispatch: &Dispatch,
    stop: &mut watch::Receiver<bool>,
) -> hyper::Result<()> {
    keep_alive::serve(stream, head, stop, |request| dispatch.answer(request, client, head)).await
}

async fn http2<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    client: Client,
    dispatch: Arc<Dispatch>,
    stop: &mut watch::Receiver<bool>,
) -> hyper::Result<()> {
    let client = Arc::new(client);
    let service = service_fn(move |request: Request<Incoming>| {
        let (dispatch, client) = (dispatch.clone(), client.clone());
        async move { dispatch.answer(request, &client, &RawHead::default()).await }
    });
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .keep_alive_interval(SILENCE)
        .keep_alive_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    tokio::select! {
        ended = served.as_mut() => ended,
        _ = stop.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::raw_head::Remembering;

    #[tokio::test]
    async fn who_stalls_for_two_looks_is_hung_up_on() {
        let (near, mut far) = tokio::io::duplex(1024);
        let head = Arc::new(RawHead::default());
        let mut near = Remembering::new(near, head.clone());
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

    #[test]
    fn a_clients_first_bytes_tell_its_protocol() {
        for (first, protocol) in [
            (&b"\x16\x03\x01\x02"[..], Protocol::Tls),
            (b"PRI ", Protocol::Http2),
            (b"PROP", Protocol::Http1),
            (b"PR", Protocol::Http1),
            (b"", Protocol::Http1),
            (b"GET ", Protocol::Http1),
        ] {
            assert_eq!(Protocol::of(first), protocol, "{first:?}");
        }
    }

    /// Of the futures that these functions give.
    fn size_of_connection<A, B, C, D, E, F, G>(_: impl FnOnce(A, B, C, D, E, F) -> G) -> usize {
        size_of::<G>()
    }

    fn size_of_answer<'a, A: 'a, B, C: 'a, D: 'a, G>(_: impl FnOnce(&'a A, B, &'a C, &'a D) -> G) -> usize {
        size_of::<G>()
    }

    #[test]
    fn a_connection_waits_in_little_memory() {
        let connection = size_of_connection(connection);
        assert!(connection <= 1024, "{connection} bytes");
        // hyper makes room for it with each connection that isn't idle.
        let answer = size_of_answer(Dispatch::answer);
        assert!(answer <= 7168, "{answer} bytes");
    }
}
