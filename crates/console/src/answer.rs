//! Answers, and the headers that every one of them has.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{Either, Full};
use serde_json::{Value as Json, json};

use crate::stream::Stream;

/// Body of an answer.
pub type Answer = Either<Full<Bytes>, Stream>;

/// Nothing but what this server serves; no inline script or style, no frame, no form that leaves, and no text that becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const SAFETY: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// An answer of this type with the headers that keep a page to itself.
pub fn body(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Answer> {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    *response.status_mut() = status;
    protect(response.headers_mut(), content_type);
    response
}

pub fn json(status: StatusCode, json: &Json) -> Response<Answer> {
    body(status, "application/json", json.to_string())
}

/// Server-sent events.
pub fn events(stream: Stream) -> Response<Answer> {
    let mut response = Response::new(Either::Right(stream));
    protect(response.headers_mut(), "text/event-stream");
    response
}

/// An error in the form that the page reads.
pub fn refused(status: StatusCode, code: &str, message: &str) -> Response<Answer> {
    json(status, &json!({"error": {"code": code, "message": message}}))
}

pub fn moved(to: &'static str) -> Response<Answer> {
    let mut response = body(StatusCode::PERMANENT_REDIRECT, "text/plain; charset=utf-8", Bytes::new());
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    response
}

pub fn with_cookie(mut response: Response<Answer>, cookie: &str) -> Response<Answer> {
    let cookie = HeaderValue::from_str(cookie).expect("a cookie of ours is plain text");
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

fn protect(headers: &mut HeaderMap, content_type: &'static str) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in SAFETY {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
