//! The Runtime API's calls over HTTP: bytes in, the environment's state asked or told, bytes out. The other side is a
//! function, so that anything may come; whatever does harms its own environment only.

use std::convert::Infallible;
use std::io::Cursor;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use pitbird_names::limits;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::Reply;
use super::event::Event;
use super::forward::forward;
use super::held::Held;
use super::machine::{Answer, ErrorBody, Rejection};
use super::usual::{self, Unusual};
use crate::environment::Environment;
use crate::extensions;
use crate::fault::Fault;

const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const ERROR_BODY: HeaderName = HeaderName::from_static("lambda-runtime-function-error-body");
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer of the Runtime API, or of AWS behind it.
type AnyBody = Either<Full<Bytes>, Held>;

/// What the Runtime API's paths begin with; no path of an AWS API does.
pub(super) const RUNTIME_API: &str = "/2018-06-01/";
/// Of a body that is too long already, this much is still read and thrown away, so that the sender sees the answer.
pub(super) const DISCARD_BYTES_MAX: u64 = 64 << 20;
/// Longest `errorType` that is believed, bytes.
const ERROR_TYPE_BYTES_MAX: usize = 256;
/// Longest request head, bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Serves one connection to its end.
pub async fn serve(stream: TcpStream, environment: Arc<Environment>) {
    // Small answers go out at once; where that can't be had, they go out a little later.
    let _ = stream.set_nodelay(true);
    let Some(Unusual { stream, read }) = usual::serve(stream, &environment).await else { return };
    let (reader, writer) = stream.into_split();
    let stream = tokio::io::join(Cursor::new(read).chain(reader), writer);
    let service = service_fn(|request| {
        let environment = environment.clone();
        async move { Ok::<_, Infallible>(call(&environment, request).await) }
    });
    let connection = http1::Builder::new()
        .auto_date_header(false)
        .max_buf_size(HEAD_BYTES_MAX)
        // Head and body go out in one piece.
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(error = &error as &dyn std::error::Error, "a Runtime API connection broke off");
    }
}

async fn call(environment: &Arc<Environment>, request: Request<Incoming>) -> Response<AnyBody> {
    let path = request.uri().path();
    match environment.aws() {
        Some(aws) if !path.starts_with(RUNTIME_API) && !is_extensions(path) => {
            let turn = environment.aws_turn().await;
            aws.answer(request).await.map(|body| Either::Right(Held { body, _turn: turn }))
        }
        _ => runtime_call(environment, request).await.map(Either::Left),
    }
}

async fn runtime_call(environment: &Arc<Environment>, request: Request<Incoming>) -> Reply {
    if !request.uri().path().starts_with(RUNTIME_API) {
        if is_extensions(request.uri().path()) {
            return extensions::serve::call(environment, request).await;
        }
        return not_here(request.uri().path());
    }
    let (head, body) = request.into_parts();
    let path = &head.uri.path()[RUNTIME_API.len()..];
    let answer = match (&head.method, path) {
        (&Method::GET, "runtime/invocation/next") => environment.next().await.map(Event::into_reply),
        (&Method::POST, "runtime/init/error") => init_error(environment, &head.headers, body).await,
        (&Method::GET, "ping") => return Response::new(Full::from("pong")),
        (method, path) => {
            let invocation = path.strip_prefix("runtime/invocation/").and_then(|rest| rest.split_once('/'));
            match (method, invocation) {
                (&Method::POST, Some((id, "response"))) => {
                    response(environment, id, &head.headers, body).await
                }
                (&Method::POST, Some((id, "error"))) => error(environment, id, &head.headers, body).await,
                _ => return not_here(head.uri.path()),
            }
        }
    };
    answer.unwrap_or_else(|rejection| reject(&rejection))
}

async fn response(
    environment: &Arc<Environment>,
    request_id: &str,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Rejection> {
    let mode = headers.get(RESPONSE_MODE);
    if mode.is_some_and(|mode| mode != "streaming" && mode != "buffered") {
        return Ok(refuse(
            StatusCode::BAD_REQUEST,
            "Invalid function response mode",
            "InvalidFunctionResponseMode",
        ));
    }
    let answering = environment.begin_answer(request_id, Answer::Response)?;
    // A streaming function's answer is collected for who invokes it buffered: he wants it whole.
    let sink = mode.filter(|mode| *mode == "streaming").and_then(|_| answering.sink());
    if let Some(sink) = sink {
        return forward(answering, sink, headers, body).await;
    }
    match read(body).await {
        Ok(Read { bytes, trailers }) => {
            let fault = trailers.as_ref().and_then(fault_of_trailers);
            answering.finish(fault.map_or(Ok(bytes), Err))?;
            Ok(accepted())
        }
        Err(Unread::TooLong) => {
            answering.finish(Err(Fault::response_too_large()))?;
            Ok(too_long(limits::INVOKE_PAYLOAD_BYTES))
        }
        Err(Unread::Truncated) => Ok(truncated()),
    }
}

async fn error(
    environment: &Arc<Environment>,
    request_id: &str,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Rejection> {
    let answering = environment.begin_answer(request_id, Answer::Error)?;
    match read(body).await {
        Ok(Read { bytes, .. }) => {
            answering.finish(Err(Fault::reported(error_type(headers), bytes)))?;
            Ok(accepted())
        }
        Err(Unread::TooLong) => {
            answering.finish(Err(Fault::response_too_large()))?;
            Ok(too_long(limits::INVOKE_PAYLOAD_BYTES))
        }
        Err(Unread::Truncated) => Ok(truncated()),
    }
}

async fn init_error(
    environment: &Arc<Environment>,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Reply, Rejection> {
    let _turn = environment.begin_init_error()?;
    match read(body).await {
        Ok(Read { bytes, .. }) => {
            environment.init_error(Fault::reported(error_type(headers), bytes))?;
            Ok(accepted())
        }
        Err(Unread::TooLong) => Ok(too_long(limits::INVOKE_PAYLOAD_BYTES)),
        Err(Unread::Truncated) => Ok(truncated()),
    }
}

fn error_type(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(ERROR_TYPE)?.to_str().ok()?;
    (!text.is_empty() && text.len() <= ERROR_TYPE_BYTES_MAX).then_some(text)
}

/// How a streaming function says that it failed after its answer had begun.
pub(super) fn fault_of_trailers(trailers: &HeaderMap) -> Option<Fault> {
    let body = trailers.get(ERROR_BODY).and_then(|body| STANDARD.decode(body).ok());
    let error_type = error_type(trailers);
    (body.is_some() || error_type.is_some())
        .then(|| Fault::reported(error_type, body.unwrap_or_default().into()))
}

struct Read {
    bytes: Bytes,
    trailers: Option<HeaderMap>,
}

enum Unread {
    TooLong,
    Truncated,
}

/// A whole body of at most [`limits::INVOKE_PAYLOAD_BYTES`]. One that came in one piece is not copied.
async fn read(mut body: Incoming) -> Result<Read, Unread> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let (mut length, mut trailers) = (0u64, None);
    let limit = limits::INVOKE_PAYLOAD_BYTES as u64;
    if body.size_hint().lower() > limit + DISCARD_BYTES_MAX {
        return Err(Unread::TooLong);
    }
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Unread::Truncated) };
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                trailers = frame.into_trailers().ok();
                continue;
            }
        };
        length += data.len() as u64;
        if length > limit + DISCARD_BYTES_MAX {
            break;
        }
        if length > limit {
            (first, rest) = (Bytes::new(), BytesMut::new());
        } else if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(body.size_hint().lower().min(limit) as usize + first.len() + data.len());
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    if length > limit {
        return Err(Unread::TooLong);
    }
    let bytes = if rest.is_empty() { first } else { rest.freeze() };
    Ok(Read { bytes, trailers })
}

pub fn accepted() -> Reply {
    json(StatusCode::ACCEPTED, Bytes::from_static(b"{\"status\":\"OK\"}\n"))
}

pub(super) fn too_long(limit: usize) -> Reply {
    let words = format!("Exceeded maximum allowed payload size ({limit} bytes).");
    refuse(StatusCode::PAYLOAD_TOO_LARGE, &words, "RequestEntityTooLarge")
}

pub(super) fn truncated() -> Reply {
    refuse(StatusCode::BAD_REQUEST, "HTTP request detected as truncated", "TruncatedHTTPRequest")
}

pub(super) fn reject(rejection: &Rejection) -> Reply {
    let status = match rejection {
        Rejection::RequestId => StatusCode::BAD_REQUEST,
        Rejection::Transition { .. } => StatusCode::FORBIDDEN,
    };
    refuse(status, &rejection.to_string(), rejection.error_type())
}

/// Are these the paths of the Extensions API or of the Telemetry and Logs API?
fn is_extensions(path: &str) -> bool {
    ["/2020-01-01/extension", "/2022-07-01/telemetry", "/2020-08-15/logs"]
        .iter()
        .any(|api| path.starts_with(api))
}

/// SnapStart's calls are not served, and whoever makes them is told.
pub fn not_here(path: &str) -> Reply {
    let words = format!("{path} is not served: of the Runtime API, invocation and init errors are");
    refuse(StatusCode::NOT_FOUND, &words, "NotFound")
}

pub fn refuse(status: StatusCode, error_message: &str, error_type: &str) -> Reply {
    let body = serde_json::to_vec(&ErrorBody { error_message, error_type }).expect("two texts serialise");
    json(status, body.into())
}

pub fn json(status: StatusCode, body: Bytes) -> Reply {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}
