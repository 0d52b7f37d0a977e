//! pitbird's own paths: health, metrics for Prometheus, and the code of functions and layers.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use pitbird_cloudwatch::Format;
use pitbird_control::{Asked, Control, bare_fault};
use pitbird_lambda::{CODE_PATH, Locations, Unopened};
use pitbird_sigv4 as sigv4;
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;
use pitbird_wire::{Catalog, Fault, Protocol};
use serde_json::json;

use crate::process;

/// Metrics are found here, signed for this service where calls must be, by whom this is allowed.
const METRICS_PATH: &str = "/_pitbird/metrics";
const METRICS_SERVICE: &str = "monitoring";
const METRICS_ACTION: &str = "cloudwatch:GetMetricData";

pub struct Admin {
    pub store: Store,
    pub telemetry: Arc<Telemetry>,
    pub locations: Arc<Locations>,
    /// The services that are there, by the names of their models.
    pub services: Vec<&'static str>,
    pub began: Instant,
    pub began_at: SystemTime,
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

    /// What this process has counted, for Prometheus; why not, where who asks hasn't signed or mayn't; `None` for any other path.
    ///
    /// Prometheus asks for `/metrics` unless it is told otherwise. A signed request for that is for the bucket of the name.
    pub async fn metrics(&self, parts: &Parts, control: &Control) -> Option<Response<Full<Bytes>>> {
        let is_usual = parts.uri.path() == "/metrics" && parts.uri.query().is_none();
        let is_usual = is_usual && !parts.headers.contains_key(AUTHORIZATION);
        if !is_read(&parts.method) || !(is_usual || parts.uri.path() == METRICS_PATH) {
            return None;
        }
        let asked = Asked { action: METRICS_ACTION.to_owned(), resources: vec!["*".to_owned()] };
        match control.may_read(parts, METRICS_SERVICE, asked) {
            Ok(true) => {}
            Ok(false) => return Some(refused(&format!("{METRICS_ACTION} is not allowed"))),
            Err(error) => return Some(refused(&error.to_string())),
        }
        let format = Format::accepted(parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()));
        let (telemetry, began_at) = (self.telemetry.clone(), self.began_at);
        let generation = self.store.snapshot().generation;
        let work = move || {
            let mut process = process::read(began_at);
            (process.generation, process.lines_dropped) = (generation, telemetry.lines_dropped());
            pitbird_cloudwatch::exposition(&telemetry.counted(), &telemetry.custom_totals(), &process, format)
        };
        // Cancelled only when the runtime ends.
        let text = tokio::task::spawn_blocking(work).await.ok()?;
        Some(answer(format.content_type(), Bytes::from(text)))
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

fn refused(why: &str) -> Response<Full<Bytes>> {
    let mut response = answer("text/plain; charset=utf-8", Bytes::from(format!("{why}\n")));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

fn answer(content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
