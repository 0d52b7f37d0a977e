//! Bytes and texts: `contentHandling` and `binaryMediaTypes`. Source: API Gateway developer guide, "Content type conversions in API
//! Gateway", the two tables.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, header};
use pitbird_event::MediaTypes;
use pitbird_snapshot::ContentHandling;

use crate::arrival::Arrival;

/// A request's body as its integration, or its template, gets it.
///
/// # Errors
/// When a text that should become bytes is no base64.
pub(crate) fn of_request(
    body: Bytes,
    arrival: &Arrival<'_>,
    media: MediaTypes<'_>,
    handling: Option<ContentHandling>,
) -> Result<Bytes, Undecodable> {
    let Some(handling) = handling else { return Ok(body) };
    let content_type = arrival.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    match (media.is_binary(content_type), handling) {
        (true, ContentHandling::ToText) => Ok(Bytes::from(STANDARD.encode(&body))),
        (false, ContentHandling::ToBinary) => decoded(body),
        (true, ContentHandling::ToBinary) | (false, ContentHandling::ToText) => Ok(body),
    }
}

/// A body that is no base64, as it is; to the log it says what AWS's does.
#[derive(Debug, thiserror::Error)]
#[error("Unable to base64 decode the body.")]
pub(crate) struct Undecodable(pub Bytes);

/// A backend's body as its client gets it.
pub(crate) fn of_answer(
    body: Bytes,
    answered: &HeaderMap,
    arrival: &Arrival<'_>,
    media: MediaTypes<'_>,
    handling: Option<ContentHandling>,
) -> Result<Bytes, Undecodable> {
    if media.0.is_empty() && handling.is_none() {
        return Ok(body);
    }
    let content_type = answered.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    let accept = arrival.headers().get(header::ACCEPT).map(|value| value.as_bytes());
    match (media.is_binary(content_type), handling) {
        (true, Some(ContentHandling::ToText)) => Ok(Bytes::from(STANDARD.encode(&body))),
        (true, None) if !media.accepts_binary(accept) => Ok(Bytes::from(STANDARD.encode(&body))),
        (false, Some(ContentHandling::ToBinary)) => decoded(body),
        (false, None) if media.accepts_binary(accept) => decoded(body),
        _ => Ok(body),
    }
}

fn decoded(body: Bytes) -> Result<Bytes, Undecodable> {
    STANDARD.decode(&body).map(Bytes::from).map_err(|_| Undecodable(body))
}
