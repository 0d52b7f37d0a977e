use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pitbird_names::limits;
use pitbird_snapshot::ClientCertificate;
use thiserror::Error;
use tokio_rustls::rustls::client::WantsClientCert;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, ConfigBuilder, RootCertStore};

/// HTTP servers behind APIs: connections to them are kept and shared by all stages; those made with a client certificate by the
/// stages that show it.
pub(crate) struct Backend {
    plain: Client<HttpConnector, Full<Bytes>>,
    /// Made with the first `https` URI.
    secure: OnceLock<Option<SecureClient>>,
    /// Whom to trust. Read with the first `https` URI, since that takes a while; `None` where this host trusts nobody.
    roots: OnceLock<Option<Arc<RootCertStore>>>,
}

type SecureClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What is kept with a client certificate; `None` for one that can't be shown.
struct Shown(Option<SecureClient>);

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
        Backend { plain: builder().build(connector()), secure: OnceLock::new(), roots: OnceLock::new() }
    }

    /// Sends a request and reads its whole answer, both within `limit`. A certificate is shown to those who speak TLS and ask for
    /// one.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: Duration,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Response<Bytes>, Unanswered> {
        let exchange = async {
            let response = match request.uri().scheme_str() {
                Some("http") => self.plain.request(request).await,
                Some("https") => {
                    let client = match certificate {
                        Some(certificate) => self.showing(certificate),
                        None => self.secure(),
                    };
                    client.ok_or(Unanswered::Network)?.request(request).await
                }
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

    fn secure(&self) -> Option<&SecureClient> {
        let made =
            self.secure.get_or_init(|| Some(client(trusting(self.roots()?).ok()?.with_no_client_auth())));
        made.as_ref()
    }

    /// The client of a certificate: made once, and gone with it.
    fn showing<'c>(&self, certificate: &'c ClientCertificate) -> Option<&'c SecureClient> {
        let Shown(made) = certificate.slot.get_or_init(|| {
            let made = self.roots().map(|roots| client_showing(certificate, roots));
            Arc::new(Shown(made.and_then(|made| {
                let id = &certificate.id;
                made.inspect_err(|error| tracing::warn!(id, %error, "a client certificate can't be shown"))
                    .ok()
            })))
        });
        made.as_ref()
    }

    fn roots(&self) -> Option<Arc<RootCertStore>> {
        self.roots.get_or_init(native_roots).clone()
    }
}

fn native_roots() -> Option<Arc<RootCertStore>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!(errors = ?found.errors, "no certificates to trust on this host");
        return None;
    }
    Some(Arc::new(roots))
}

fn trusting(
    roots: Arc<RootCertStore>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots))
}

fn client(config: ClientConfig) -> SecureClient {
    let mut http = connector();
    http.enforce_http(false);
    let tls = HttpsConnectorBuilder::new().with_tls_config(config);
    builder().build(tls.https_or_http().enable_http1().wrap_connector(http))
}

#[derive(Debug, Error)]
enum Unshowable {
    #[error(transparent)]
    Text(#[from] rustls::pki_types::pem::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

fn client_showing(
    certificate: &ClientCertificate,
    roots: Arc<RootCertStore>,
) -> Result<SecureClient, Unshowable> {
    let chain = CertificateDer::pem_slice_iter(certificate.certificate_pem.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(certificate.private_key_pem.0.as_bytes())?;
    Ok(client(trusting(roots)?.with_client_auth_cert(chain, key)?))
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

#[cfg(test)]
mod tests;
