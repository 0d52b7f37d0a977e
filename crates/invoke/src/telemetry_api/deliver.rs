//! Sends subscribers what is due to them, over sockets of their sandbox's network.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use pitbird_sandbox::Connector;
use tokio::net::TcpSocket;

use super::relay::Subscriber;

/// A subscriber must take a batch within this time.
const SEND_MAX: Duration = Duration::from_secs(5);
/// After a batch that was not taken; twice as long each time.
const AGAIN_MIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// Longest answer that is read, bytes: nothing of it is used.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Delivers to one subscriber until its environment ends and drops this.
pub async fn deliver(subscriber: Arc<Subscriber>, connector: Connector) {
    loop {
        let batch = Bytes::from(subscriber.batch().await);
        let mut again = AGAIN_MIN;
        loop {
            let sent = tokio::time::timeout(SEND_MAX, send(&subscriber, &connector, batch.clone())).await;
            let why = match sent {
                Ok(Ok(status)) if status.is_success() => break,
                Ok(Ok(status)) => status.to_string(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it took too long".to_owned(),
            };
            tracing::debug!(extension = subscriber.name, why, "telemetry was not taken");
            tokio::time::sleep(again).await;
            again = if subscriber.is_flushing() { AGAIN_MIN } else { (2 * again).min(AGAIN_MAX) };
        }
    }
}

/// Sends one batch on a connection of its own.
async fn send(subscriber: &Subscriber, connector: &Connector, batch: Bytes) -> io::Result<StatusCode> {
    let subscription = &subscriber.subscription;
    let socket = TcpSocket::from_std_stream(connector.socket()?);
    let stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, subscription.port))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let request = Request::builder()
        .method(&subscription.method)
        .uri(&subscription.path)
        .header(HOST, &subscription.host)
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
        Ok(status)
    };
    let (status, _ended) = tokio::join!(exchange, connection);
    status
}
