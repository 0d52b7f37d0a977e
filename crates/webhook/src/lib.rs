//! Sends events to URLs.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// How long an attempt to tell may take, to the last byte of the answer.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Waits before the attempts that follow the first.
const RETRY_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// Tells the receiver that the body is from whom it shares a secret with.
const SIGNATURE: &str = "x-pitbird-signature";
/// What is read of an answer, which nobody looks at, so that its connection can be used again.
const ANSWER_BYTES: usize = 64 << 10;

type Sender = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Connections to those who want to be told.
#[derive(Default)]
pub struct Webhooks {
    /// Made with the first event: reading the host's certificates takes a while.
    sender: OnceLock<Result<Sender, String>>,
}

impl Webhooks {
    /// Posts JSON to an `http` or `https` URL. Tries three times; an answer from 200 to 299 is a success, one from 400 to 499,
    /// but 408 and 429, isn't tried again.
    pub async fn post(&self, url: &str, json: String) -> Result<(), String> {
        self.post_signed(url, json, None).await
    }

    /// The same with a signature in [`SIGNATURE`].
    pub async fn post_signed(&self, url: &str, json: String, signature: Option<&str>) -> Result<(), String> {
        let json = Bytes::from(json);
        let mut waits = RETRY_AFTER.into_iter();
        loop {
            let attempt = self.attempt(url, json.clone(), signature, ANSWER_BYTES);
            let attempt = tokio::time::timeout(ATTEMPT, attempt).await;
            let answered = attempt.unwrap_or_else(|_| Err("no answer within 10 s".to_owned()));
            let (error, is_final) = match answered {
                Ok((200..=299, _)) => return Ok(()),
                Ok((status, _)) => {
                    let is_final = (400..500).contains(&status) && !matches!(status, 408 | 429);
                    (format!("the answer was {status}"), is_final)
                }
                Err(error) => (error, false),
            };
            match waits.next().filter(|_| !is_final) {
                // The receiver is given time to come back.
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    /// Posts JSON once, and gives what a successful answer says.
    pub async fn ask(
        &self,
        url: &str,
        json: String,
        signature: Option<&str>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, String> {
        match self.attempt(url, Bytes::from(json), signature, bytes_max).await? {
            (200..=299, body) => {
                Ok(body.map_err(|error| format!("its answer could not be read: {error}"))?.into())
            }
            (status, _) => Err(format!("the answer was {status}")),
        }
    }

    /// The status, and the body as far as it could be read.
    async fn attempt(
        &self,
        url: &str,
        json: Bytes,
        signature: Option<&str>,
        bytes_max: usize,
    ) -> Result<(u16, Result<Bytes, String>), String> {
        let sender = self.sender.get_or_init(sender).as_ref()?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("pitbird/", env!("CARGO_PKG_VERSION")));
        if let Some(signature) = signature {
            request = request.header(SIGNATURE, signature);
        }
        let request = request.body(Full::new(json)).map_err(|error| error.to_string())?;
        let answer = sender.request(request).await.map_err(|error| whole(&error))?;
        let status = answer.status().as_u16();
        // Whatever it says, and however it ends, the status has come.
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        Ok((status, body.map(|body| body.to_bytes()).map_err(|error| error.to_string())))
    }
}

fn sender() -> Result<Sender, String> {
    let roots = HttpsConnectorBuilder::new().with_native_roots();
    let connector = roots.map_err(|error| format!("no certificates to trust on this host: {error}"))?;
    Ok(Client::builder(TokioExecutor::new()).build(connector.https_or_http().enable_http1().build()))
}

/// An error with what it comes from.
fn whole(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(": ");
        words.push_str(&error.to_string());
        source = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers each connection once, in this order, and gives what was sent.
    async fn listen(answers: &'static [&'static str]) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let served = tokio::spawn(async move {
            let mut seen = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut request = Vec::new();
                while !request.ends_with(b"{\"a\":1}") {
                    let mut part = [0; 1024];
                    let length = stream.read(&mut part).await.expect("a request");
                    assert!(length > 0, "it ended too early");
                    request.extend_from_slice(&part[..length]);
                }
                stream.write_all(answer.as_bytes()).await.expect("written");
                seen.push(String::from_utf8(request).expect("text"));
            }
            seen
        });
        (url, served)
    }

    #[tokio::test]
    async fn an_event_is_posted_and_tried_again() {
        let (url, served) = listen(&[
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        ])
        .await;
        let posted = Webhooks::default().post_signed(&url, "{\"a\":1}".to_owned(), Some("sha256=00")).await;
        assert_eq!(posted, Ok(()));
        let seen = served.await.expect("no panic");
        assert!(seen[0].starts_with("POST /hook HTTP/1.1\r\n"), "{}", seen[0]);
        assert!(seen[1].contains("x-pitbird-signature: sha256=00\r\n"), "{}", seen[1]);
        assert!(seen[1].contains("content-type: application/json\r\n"), "{}", seen[1]);
    }

    #[tokio::test]
    async fn what_the_receiver_refuses_is_not_sent_again() {
        let (url, served) =
            listen(&["HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"]).await;
        let posted = Webhooks::default().post(&url, "{\"a\":1}".to_owned()).await;
        assert_eq!(posted, Err("the answer was 410".to_owned()));
        assert_eq!(served.await.expect("no panic").len(), 1);
    }
}
