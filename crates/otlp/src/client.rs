//! The way to a collector.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::config::{Config, Endpoint};
use crate::retry;

/// Of an answer so much is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const AGENT: &str = concat!("OTel-OTLP-Exporter-pitbird/", env!("CARGO_PKG_VERSION"));

/// Connections to collectors, kept and shared by all signals.
pub struct Client {
    http: HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    is_compressed: bool,
    /// Of one attempt, from the connection to the answer's end.
    timeout: Duration,
}

/// What a collector answers.
pub struct Answer {
    pub status: u16,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
    pub body: Bytes,
}

impl Client {
    /// Whom to trust is read only where an endpoint is `https`, since that takes a while.
    pub fn new(config: &Config) -> Client {
        let mut roots = RootCertStore::empty();
        let is_https = |endpoint: &Endpoint| endpoint.uri.scheme_str() == Some("https");
        if config.endpoints.iter().flatten().any(is_https) {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                tracing::warn!(errors = ?found.errors, "no certificates to trust on this host");
            }
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.expect("the provider has the default versions");
        let tls = tls.with_root_certificates(roots).with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.enforce_http(false);
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let mut builder = HyperClient::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT);
        let http = builder.build(tls.wrap_connector(tcp));
        Client { http, is_compressed: config.is_compressed, timeout: config.timeout }
    }

    /// One attempt; an error is why there was no answer.
    pub async fn send(&self, endpoint: &Endpoint, body: Bytes) -> Result<Answer, String> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = endpoint.uri.clone();
        let headers = request.headers_mut();
        headers.extend(endpoint.headers.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        if self.is_compressed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let exchange = async {
            let (head, body) = self.http.request(request).await.map_err(whole)?.into_parts();
            let retry_after = head
                .headers
                .get(header::RETRY_AFTER)
                .and_then(|value| retry::retry_after(value.to_str().ok()?, SystemTime::now()));
            // What it says beside its status is of use only if it is brief.
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map(|body| body.to_bytes()).unwrap_or_default();
            Ok(Answer { status: head.status.as_u16(), retry_after, body })
        };
        let late = || Err(format!("no answer within {} ms", self.timeout.as_millis()));
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or_else(|_| late())
    }
}

/// An error and all that it is because of.
fn whole(error: hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(because) = cause {
        text.push_str(": ");
        text.push_str(&because.to_string());
        cause = because.source();
    }
    text
}
