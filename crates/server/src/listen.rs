//! Accepts connections, serves HTTP on them, and drains them in the end.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::dispatch::{Client, Dispatch};
use crate::raw_head::RawHead;
use crate::received::Received;
use crate::tls::Tls;
use crate::{http2, keep_alive};

/// A client that takes longer than this, and at most twice as long, for a request's head is hung up on.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// How long answers under way may take after the server was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(35);
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long who has connected, and is told to stop, may take for the first byte of his first request.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(1);
/// Who is silent between two requests, or before the first, for longer than this, and at most [`HEAD_TIMEOUT`] longer, is hung up
/// on. Longer than AWS's own NAT gateways and load balancers remember a silent connection (350 s), and than clients keep one for
/// its next use.
const IDLE_LIMIT: Duration = Duration::from_secs(360);

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
            _ = ticks.tick() => heads.look(),
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    let drained = async {
        loop {
            tokio::select! {
                ended = connections.join_next() => if ended.is_none() { return },
                _ = ticks.tick() => heads.look(),
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
    /// How many requests there had been at the last look.
    requests: u64,
    /// How many looks, one after the other, have found nothing under way and no other request.
    idle_looks: u32,
}

impl Heads {
    /// Of connections that have ended no more are kept than there are others.
    fn watch(&mut self, head: Weak<RawHead>, connection: AbortHandle, alive: usize) {
        if self.0.len() > 2 * alive + 64 {
            self.0.retain(|watched| watched.head.strong_count() > 0);
        }
        self.0.push(Watched { head, connection, seen: None, requests: 0, idle_looks: 0 });
    }

    /// Looks at all connections; [`HEAD_TIMEOUT`] lies between two looks.
    fn look(&mut self) {
        self.0.retain_mut(|watched| {
            let Some(head) = watched.head.upgrade() else { return false };
            !watched.is_stalled(&head) && !watched.is_idle_for_long(&head)
        });
    }
}

impl Watched {
    /// Hangs up on who sends the head of a request too slowly.
    fn is_stalled(&mut self, head: &RawHead) -> bool {
        let now = head.unfinished();
        let is_stalled = now.is_some() && now == self.seen;
        if is_stalled {
            tracing::debug!("a request's head took too long");
            self.connection.abort();
        }
        self.seen = now;
        is_stalled
    }

    /// Hangs up on who was idle for [`IDLE_LIMIT`]: at once if there was never a request, else as the protocol has it.
    fn is_idle_for_long(&mut self, head: &RawHead) -> bool {
        let (requests, is_untouched) = (head.requests(), head.is_untouched());
        self.idle_looks = match is_untouched || head.is_between_requests() {
            false => 0,
            true if requests == self.requests => self.idle_looks + 1,
            true => 1,
        };
        self.requests = requests;
        let is_over = self.idle_looks > IDLE_LOOKS_MAX;
        if is_over && is_untouched {
            self.connection.abort();
        } else if is_over {
            // Whose next request is on its way now is looked at again.
            head.hang_up();
        }
        is_over && is_untouched
    }
}

const IDLE_LOOKS_MAX: u32 = (IDLE_LIMIT.as_secs() / HEAD_TIMEOUT.as_secs()) as u32;

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
) -> anyhow::Result<()> {
    let Some(acceptor) = tls.acceptor() else { return Ok(()) };
    // In a box that is given back, for an idle connection keeps room for the largest that it ever waited for.
    let Some(stream) = Box::pin(shake(stream, acceptor)).await else {
        tracing::debug!(%peer, "a TLS handshake failed");
        return Ok(());
    };
    let client = Client::new(peer, local, "https");
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        drop(head);
        Box::pin(http2(stream, client, dispatch, stop)).await
    } else {
        http1(stream, &head, &client, &dispatch, stop).await
    }
}

/// In a box, for what is moved from one wait to the next would have room in both.
async fn shake(stream: TcpStream, acceptor: &TlsAcceptor) -> Option<Box<TlsStream<TcpStream>>> {
    let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
    shaken.ok()?.ok().map(Box::new)
}

async fn http1<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    head: &Arc<RawHead>,
    client: &Client,
    dispatch: &Dispatch,
    stop: &mut watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let answer = |request, raw_head| dispatch.answer(request, client, head, raw_head);
    keep_alive::serve(stream, head, stop, answer).await
}

async fn http2<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    client: Client,
    dispatch: Arc<Dispatch>,
    stop: &mut watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let client = Arc::new(client);
    let answer = |request: Request<Incoming>| {
        let (dispatch, client) = (dispatch.clone(), client.clone());
        // In a box, for hyper moves it more than once.
        Box::pin(async move {
            let request = request.map(Received::from);
            Ok(dispatch.answer(request, &client, &Arc::default(), Bytes::new()).await)
        })
    };
    Ok(http2::serve(stream, stop, answer).await?)
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
            heads.look();
            assert!(connections.try_join_next().is_none(), "its head has just begun");
            head.take();
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        }
        far.write_all(b"GET").await.unwrap();
        let _length = near.read(&mut buffer).await.unwrap();
        heads.look();
        heads.look();
        assert!(connections.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert!(heads.0.is_empty());
    }

    #[tokio::test]
    async fn who_is_idle_for_the_limit_is_hung_up_on() {
        let (near, mut far) = tokio::io::duplex(1024);
        let heads = [Arc::new(RawHead::default()), Arc::new(RawHead::default())];
        let mut near = Remembering::new(near, heads[0].clone());
        let mut connections = JoinSet::new();
        let mut watched = Heads::default();
        for head in &heads {
            watched.watch(Arc::downgrade(head), connections.spawn(std::future::pending::<()>()), 2);
        }
        let mut buffer = [0; 64];
        let is_told = async || tokio::time::timeout(Duration::ZERO, heads[0].told_to_hang_up()).await.is_ok();
        for _ in 0..IDLE_LOOKS_MAX {
            // The first is asked something before each look, the second never.
            far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            let _length = near.read(&mut buffer).await.unwrap();
            heads[0].take();
            heads[0].answered();
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            near.flush().await.unwrap();
            watched.look();
            assert!(connections.try_join_next().is_none());
        }
        watched.look();
        assert!(connections.join_next().await.unwrap().unwrap_err().is_cancelled(), "never asked anything");
        assert_eq!(watched.0.len(), 1);
        for looks in 2..IDLE_LOOKS_MAX {
            assert!(!is_told().await, "idle for {looks} looks");
            watched.look();
        }
        assert!(!is_told().await);
        watched.look();
        assert!(is_told().await, "by word, so that TLS can say goodbye");
        assert!(connections.try_join_next().is_none());
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

    fn size_of_answer<'a, A: 'a, B, C: 'a, D: 'a, E, G>(
        _: impl FnOnce(&'a A, B, &'a C, &'a D, E) -> G,
    ) -> usize {
        size_of::<G>()
    }

    #[test]
    fn a_connection_waits_in_little_memory() {
        let connection = size_of_connection(connection);
        assert!(connection <= 1024, "{connection} bytes");
        let secure = size_of_connection(secure);
        assert!(secure <= 1024, "{secure} bytes");
        // hyper makes room for it with each connection that isn't idle.
        let answer = size_of_answer(Dispatch::answer);
        assert!(answer <= 5120, "{answer} bytes");
    }
}
