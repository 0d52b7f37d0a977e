use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pitbird_names::limits;
use thiserror::Error;

/// HTTP servers behind APIs: connections to them are kept and shared by all stages.
pub(crate) struct Backend {
    plain: Client<HttpConnector, Full<Bytes>>,
    /// Made with the first `https` URI: reading the host's certificates takes a while.
    secure: OnceLock<Option<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>>,
}

/// Why a backend gave no answer.
#[derive(Debug, Error)]
pub(crate) enum Unanswered {
    #[error("Invalid endpoint address")]
    Address,
    #[error("Network error communicating with endpoint")]
    Network,
    #[error("The endpoint's answer is too large")]
    TooLarge,
    #[error("Execution failed due to a timeout error")]
    Timeout,
}

/// Connections that nobody used for so long are closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Open connections without a request, to one backend.
const IDLE_PER_HOST_MAX: usize = 256;
/// How long a connection may take to be made, whatever the integration's own timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Backend {
    pub fn new() -> Backend {
        Backend { plain: builder().build(connector()), secure: OnceLock::new() }
    }

    /// Sends a request and reads its whole answer, both within `limit`.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Response<Bytes>, Unanswered> {
        let exchange = async {
            let response = match request.uri().scheme_str() {
                Some("http") => self.plain.request(request).await,
                Some("https") => self.secure().ok_or(Unanswered::Network)?.request(request).await,
                _ => return Err(Unanswered::Address),
            };
            let (head, body) = response.map_err(|error| network(&error))?.into_parts();
            match Limited::new(body, limits::GATEWAY_BODY_BYTES).collect().await {
                Ok(collected) => Ok(Response::from_parts(head, collected.to_bytes())),
                Err(error) if error.is::<LengthLimitError>() => Err(Unanswered::TooLarge),
                Err(error) => Err(network(&error)),
            }
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(Unanswered::Timeout))
    }

    fn secure(&self) -> Option<&Client<HttpsConnector<HttpConnector>, Full<Bytes>>> {
        let made = self.secure.get_or_init(|| {
            let roots = HttpsConnectorBuilder::new().with_native_roots();
            let roots =
                roots.inspect_err(|error| tracing::warn!(%error, "no certificates to trust on this host"));
            let mut http = connector();
            http.enforce_http(false);
            Some(builder().build(roots.ok()?.https_or_http().enable_http1().wrap_connector(http)))
        });
        made.as_ref()
    }
}

fn network<E: std::fmt::Display + ?Sized>(error: &E) -> Unanswered {
    tracing::debug!(%error, "a backend didn't answer");
    Unanswered::Network
}

fn connector() -> HttpConnector {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    http
}

fn builder() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        // Headers go out in the caller's order; a backend that answers with odd ones is still an answer.
        .http1_allow_obsolete_multiline_headers_in_responses(true);
    builder
}
