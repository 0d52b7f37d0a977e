mod any_authority;

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pitbird_names::limits;
use pitbird_snapshot::{ClientCertificate, Trust};
use tokio_rustls::rustls::client::WantsClientCert;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, ConfigBuilder, RootCertStore};

use any_authority::AnyAuthority;

/// HTTP servers behind APIs: connections to them are kept and shared by all stages; those made with a client certificate by the
/// stages that show it, and those to servers whose authority may be anybody by the integrations that say so.
pub(crate) struct Backend {
    plain: Client<HttpConnector, Full<Bytes>>,
    secure: Secure,
    /// Whom to trust. Read with the first `https` URI, since that takes a while; `None` where this host trusts nobody.
    roots: OnceLock<Option<Arc<RootCertStore>>>,
}

/// How a server that speaks TLS is known, and what it is shown if it asks.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tls<'c> {
    pub trust: Trust,
    pub certificate: Option<&'c ClientCertificate>,
}

type SecureClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Clients by whom they trust, each made with the first `https` URI; `None` for one that can't be made.
#[derive(Default)]
struct Secure {
    known: OnceLock<Option<SecureClient>>,
    any: OnceLock<Option<SecureClient>>,
}

impl Secure {
    fn client(&self, trust: Trust, make: impl FnOnce() -> Option<SecureClient>) -> Option<&SecureClient> {
        let kept = match trust {
            Trust::KnownAuthorities => &self.known,
            Trust::AnyAuthority => &self.any,
        };
        kept.get_or_init(make).as_ref()
    }
}

/// Why a backend gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("Invalid endpoint address")]
    Address,
    #[error("Network error communicating with endpoint")]
    Network,
    /// In the words of the service, as far as they are known.
    #[error("{0}")]
    Certificate(Cow<'static, str>),
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

/// What execution logs say of a certificate whose authority nobody knows, and of one that is out of date. Source: AWS's Knowledge Center on
/// certificates of backends.
const PATH_BUILDING: &str = "PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: \
                             unable to find valid certification path to requested target";
const PATH_VALIDATION: &str =
    "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed";

impl Backend {
    pub fn new() -> Backend {
        Backend { plain: builder().build(connector()), secure: Secure::default(), roots: OnceLock::new() }
    }

    /// Sends a request and reads its whole answer, both within `limit`.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: Duration,
        tls: Tls<'_>,
    ) -> Result<Response<Bytes>, Unanswered> {
        let exchange = async {
            let (head, body) = self.begin(request, tls).await?.into_parts();
            match Limited::new(body, limits::GATEWAY_BODY_BYTES).collect().await {
                Ok(collected) => Ok(Response::from_parts(head, collected.to_bytes())),
                Err(error) if error.is::<LengthLimitError>() => Err(Unanswered::TooLarge),
                Err(error) => Err(network(&error)),
            }
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(Unanswered::Timeout))
    }

    /// Sends a request and reads its answer's head.
    pub async fn begin(
        &self,
        request: Request<Full<Bytes>>,
        tls: Tls<'_>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let host = request.uri().host().map(str::to_owned);
        let response = match request.uri().scheme_str() {
            Some("http") => self.plain.request(request).await,
            Some("https") => self.secure(tls).ok_or(Unanswered::Network)?.request(request).await,
            _ => return Err(Unanswered::Address),
        };
        response.map_err(|error| unreached(&error, host.as_deref()))
    }

    /// The clients of a certificate are gone with it.
    fn secure<'c>(&'c self, tls: Tls<'c>) -> Option<&'c SecureClient> {
        let clients = match tls.certificate {
            Some(certificate) => certificate.slot.get_or_init(|| Arc::new(Secure::default())),
            None => &self.secure,
        };
        clients.client(tls.trust, || {
            let config = self.trusting(tls.trust)?;
            let Some(certificate) = tls.certificate else {
                return Some(client(config.with_no_client_auth()));
            };
            let id = &certificate.id;
            let config = showing(certificate, config);
            config
                .inspect_err(|error| tracing::warn!(id, %error, "a client certificate can't be shown"))
                .ok()
                .map(client)
        })
    }

    fn trusting(&self, trust: Trust) -> Option<ConfigBuilder<ClientConfig, WantsClientCert>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone());
        let config = config.with_safe_default_protocol_versions().ok()?;
        Some(match trust {
            Trust::KnownAuthorities => config.with_root_certificates(self.roots()?),
            Trust::AnyAuthority => {
                let verifier = Arc::new(AnyAuthority::new(provider));
                config.dangerous().with_custom_certificate_verifier(verifier)
            }
        })
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

fn client(config: ClientConfig) -> SecureClient {
    let mut http = connector();
    http.enforce_http(false);
    let tls = HttpsConnectorBuilder::new().with_tls_config(config);
    builder().build(tls.https_or_http().enable_http1().wrap_connector(http))
}

#[derive(Debug, thiserror::Error)]
enum Unshowable {
    #[error(transparent)]
    Text(#[from] rustls::pki_types::pem::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

fn showing(
    certificate: &ClientCertificate,
    config: ConfigBuilder<ClientConfig, WantsClientCert>,
) -> Result<ClientConfig, Unshowable> {
    let chain = CertificateDer::pem_slice_iter(certificate.certificate_pem.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(certificate.private_key_pem.0.as_bytes())?;
    Ok(config.with_client_auth_cert(chain, key)?)
}

fn network<E: std::fmt::Display + ?Sized>(error: &E) -> Unanswered {
    tracing::debug!(%error, "a backend didn't answer");
    Unanswered::Network
}

fn unreached(error: &hyper_util::client::legacy::Error, host: Option<&str>) -> Unanswered {
    let Some(rustls::Error::InvalidCertificate(why)) = error.source().and_then(of_tls) else {
        return network(error);
    };
    tracing::debug!(?why, "a backend's certificate isn't taken");
    Unanswered::Certificate(match why {
        CertificateError::UnknownIssuer => PATH_BUILDING.into(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => PATH_VALIDATION.into(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let host = host.unwrap_or_default();
            format!("Host name '{host}' does not match the certificate subject provided by the peer").into()
        }
        _ => "General SSLEngine problem".into(),
    })
}

/// What TLS found wrong, whatever is wrapped around it.
fn of_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let within = || {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let wrapped = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static));
        wrapped.or_else(|| error.source()).and_then(of_tls)
    };
    error.downcast_ref().or_else(within)
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
