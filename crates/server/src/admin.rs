//! pitbird's own paths: health, and the download of code.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use pitbird_store::Store;
use serde_json::json;

pub struct Admin {
    pub store: Store,
    /// The services that are there, by the names of their models.
    pub services: Vec<&'static str>,
    pub began: Instant,
    /// How strongly functions are isolated on this host.
    pub isolation: String,
}

impl Admin {
    /// The answer to one of our own paths; `None` for any other path. Downloads of code are for loopback only.
    pub fn answer(&self, parts: &Parts, peer: SocketAddr) -> Option<Response<Full<Bytes>>> {
        let path = parts.uri.path();
        match path {
            "/_pitbird/health" | "/_localstack/health" if is_read(&parts.method) => Some(self.health()),
            _ => {
                let sha256_hex = path.strip_prefix("/_pitbird/code/")?.strip_suffix(".zip")?;
                Some(self.code(sha256_hex, peer))
            }
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
        answer(StatusCode::OK, "application/json", Bytes::from(body.to_string()))
    }

    fn code(&self, sha256_hex: &str, peer: SocketAddr) -> Response<Full<Bytes>> {
        if !peer.ip().is_loopback() {
            return answer(
                StatusCode::FORBIDDEN,
                "text/plain",
                Bytes::from_static(b"code is given on loopback only\n"),
            );
        }
        match self.store.blob(sha256_hex) {
            Ok(code) => answer(StatusCode::OK, "application/zip", code),
            Err(_) => answer(StatusCode::NOT_FOUND, "text/plain", Bytes::from_static(b"no such code\n")),
        }
    }
}

fn is_read(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

fn answer(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
