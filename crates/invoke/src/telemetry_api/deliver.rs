//! Sends subscribers what is due to them, over sockets of their sandbox's network.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use pitbird_sandbox::Connector;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

use super::relay::Subscriber;
use super::subscription::Protocol;

/// A subscriber must take a batch within this time.
const SEND_MAX: Duration = Duration::from_secs(5);
/// After a batch that was not taken; twice as long each time.
const AGAIN_MIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// Longest answer that is read, bytes: nothing of it is used.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Of what a listener says over a connection for lines so many pieces are dropped before the next batch.
const READS_MAX: usize = 64;

/// Delivers to one subscriber until its environment ends and drops this.
pub async fn deliver(subscriber: Arc<Subscriber>, connector: Connector) {
    let mut way = Way { connector, port: subscriber.subscription.destination.port, open: None };
    loop {
        let batch = Bytes::from(subscriber.batch().await);
        let mut again = AGAIN_MIN;
        loop {
            let sent = async {
                match &subscriber.subscription.destination.protocol {
                    Protocol::Http { method, host, path } => {
                        way.request(method, host, path, batch.clone()).await
                    }
                    Protocol::Tcp => way.write(&batch).await,
                }
            };
            let why = match tokio::time::timeout(SEND_MAX, sent).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it took too long".to_owned(),
            };
            // Of a connection on which something has come half way nothing more is expected.
            way.open = None;
            tracing::debug!(extension = subscriber.name, why, "telemetry was not taken");
            tokio::time::sleep(again).await;
            again = if subscriber.is_flushing() { AGAIN_MIN } else { (2 * again).min(AGAIN_MAX) };
        }
    }
}

/// How a subscriber's listener is reached: over one connection at a time.
struct Way {
    connector: Connector,
    port: u16,
    /// The connection over which lines go.
    open: Option<TcpStream>,
}

impl Way {
    async fn connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::from_std_stream(self.connector.socket()?);
        socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).await
    }

    /// Sends one batch on a connection of its own, which must be answered with success.
    async fn request(&self, method: &Method, host: &str, path: &str, batch: Bytes) -> io::Result<()> {
        let stream = self.connect().await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close")
            .body(Full::new(batch))
            .map_err(io::Error::other)?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(io::Error::other)?;
            let status = answer.status();
            // Read so that the connection ends in peace.
            let _ = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            drop(sender);
            if status.is_success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
        };
        let (taken, _ended) = tokio::join!(exchange, connection);
        taken
    }

    /// Writes one batch on the connection that is open, or on a new one. What has been written is held to have been taken: there is
    /// no answer.
    async fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        let open = self.open.take().filter(is_open);
        let mut stream = match open {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        stream.write_all(batch).await?;
        self.open = Some(stream);
        Ok(())
    }
}

/// Has the other side not closed it? Nothing that it says is of interest.
fn is_open(stream: &TcpStream) -> bool {
    for _ in 0..READS_MAX {
        match stream.try_read(&mut [0; 1024]) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
    true
}
