//! pitbird's own paths: health, and the code of functions and layers.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use pitbird_control::bare_fault;
use pitbird_lambda::{CODE_PATH, Locations, Unopened};
use pitbird_sigv4 as sigv4;
use pitbird_store::Store;
use pitbird_wire::{Catalog, Fault, Protocol};
use serde_json::json;

pub struct Admin {
    pub store: Store,
    pub locations: Arc<Locations>,
    /// The services that are there, by the names of their models.
    pub services: Vec<&'static str>,
    pub began: Instant,
    /// How strongly functions are isolated on this host.
    pub isolation: String,
}

impl Admin {
    /// The answer to one of our own paths; `None` for any other path.
    pub fn answer(&self, parts: &Parts) -> Option<Response<Full<Bytes>>> {
        match parts.uri.path() {
            "/_pitbird/health" | "/_localstack/health" if is_read(&parts.method) => Some(self.health()),
            _ => None,
        }
    }

    /// In the form that LocalStack's wait strategies look for.
    fn health(&self) -> Response<Full<Bytes>> {
        let services: serde_json::Map<_, _> =
            self.services.iter().map(|name| ((*name).to_owned(), json!("running"))).collect();
        let body = json!({
            "services": services,
            "edition": "pitbird",
            "version": env!("CARGO_PKG_VERSION"),
            "isolation": self.isolation,
            "uptime_s": self.began.elapsed().as_secs(),
            "generation": self.store.snapshot().generation,
        });
        answer("application/json", Bytes::from(body.to_string()))
    }

    /// The code that a URL of `GetFunction` or of a layer's version leads to, or why not, in S3's words; `None` for any other
    /// path.
    pub async fn code(&self, parts: &Parts) -> Option<Response<Full<Bytes>>> {
        if !parts.uri.path().starts_with(CODE_PATH) {
            return None;
        }
        let (locations, asked) = (self.locations.clone(), parts.clone());
        let opened = tokio::task::spawn_blocking(move || open(&locations, &asked)).await;
        let fault = match opened {
            Ok(Ok(code)) => return Some(answer("application/zip", code)),
            Ok(Err(Unopened::Signature(error))) => bare_fault(&error),
            Ok(Err(Unopened::Gone)) => {
                Fault::new("NoSuchKey", "The specified key does not exist.").with_status(404)
            }
            Ok(Err(error)) => internal(&error),
            Err(ended) => internal(&ended),
        };
        let fault = fault.with_member("Resource", parts.uri.path());
        let request_id = pitbird_names::uuid(fastrand::u128(..));
        let refused = fault.encode(Catalog::embedded().model("s3"), Protocol::RestXml, false, &request_id);
        Some(refused.map(Full::new))
    }
}

fn open(locations: &Locations, parts: &Parts) -> Result<Bytes, Unopened> {
    let headers: Vec<(&str, &[u8])> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = sigv4::Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    locations.open(&request, since.as_secs())
}

fn internal(cause: &dyn std::error::Error) -> Fault {
    tracing::error!(%cause, "code can't be read");
    Fault::new("InternalError", "We encountered an internal error. Please try again.").with_status(500)
}

fn is_read(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

fn answer(content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
