use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::{Endpoint, Error};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer: a function's zip in base64 and something around it.
const ANSWER_BYTES_MAX: usize = 128 << 20;

/// One keep-alive connection, made when it is first needed and again after it was closed.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    open: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Connection {
    pub fn new(endpoint: Endpoint) -> Connection {
        Connection { endpoint, open: Mutex::new(None) }
    }

    /// Sends a request and gives the whole answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let mut open = self.open.lock().await;
        let kept = match open.take() {
            Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let is_kept = kept.is_some();
        let mut sender = match kept {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let request = request.map(Full::new);
        let answered = match sender.try_send_request(request).await {
            // The server may close an idle connection at any time; a request that was not sent yet is sent again.
            Err(mut unsent) if is_kept => match unsent.take_message() {
                Some(request) => {
                    sender = self.connect().await?;
                    sender.send_request(request).await
                }
                None => Err(unsent.into_error()),
            },
            other => other.map_err(|failed| failed.into_error()),
        };
        let answer = answered.map_err(|error| self.broken(error))?;
        let (parts, body) = answer.into_parts();
        let body =
            Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| self.broken(error))?;
        *open = Some(sender);
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Error> {
        let connecting = TcpStream::connect((self.endpoint.host(), self.endpoint.port()));
        let stream = match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(source)) => {
                return Err(Error::Unreachable { endpoint: self.endpoint.to_string(), source });
            }
            Err(_) => {
                return Err(Error::Late { endpoint: self.endpoint.to_string(), deadline: CONNECT_TIMEOUT });
            }
        };
        // A call is one small message: waiting to fill a packet only adds latency.
        let _best_effort = stream.set_nodelay(true);
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(error))?;
        // Ends with its sender, or when the server closes; what fails there fails in `send` too.
        tokio::spawn(async move { connection.await.is_ok() });
        Ok(sender)
    }

    fn broken(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Broken { endpoint: self.endpoint.to_string(), source: error.into() }
    }
}
