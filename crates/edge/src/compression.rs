//! Compressed bodies, for APIs that have a `minimumCompressionSize`.
//!
//! Source: API Gateway developer guide, "Payload compression for REST APIs": codings are `gzip`, `deflate` (in zlib's format, as
//! HTTP has it) and `identity`.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use pitbird_names::limits;

use crate::GatewayError;
use crate::answer::Answer;

/// A body of more bytes than this isn't (de)compressed between other requests, but on a thread of its own.
const BRIEF_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    fn parse(name: &str) -> Option<Coding> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("gzip") || is("x-gzip") { Some(Coding::Gzip) } else { is("deflate").then_some(Coding::Deflate) }
    }

    /// The one that a client likes best; of those it likes as much, the first here.
    fn accepted(headers: &HeaderMap) -> Option<Coding> {
        let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let mut best: Option<(f32, Coding)> = None;
        for item in lists.flat_map(|list| list.split(',')) {
            let mut words = item.split(';').map(str::trim);
            let name = words.next().unwrap_or_default();
            let quality = words.find_map(|word| word.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            let coding = if name == "*" { Some(Coding::Gzip) } else { Coding::parse(name) };
            let Some(coding) = coding.filter(|_| quality > 0.0) else { continue };
            let is_better = best.is_none_or(|(known, liked)| {
                quality > known || (quality == known && liked == Coding::Deflate)
            });
            if is_better {
                best = Some((quality, coding));
            }
        }
        best.map(|(_, coding)| coding)
    }

    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
        })
    }

    fn compress(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let out = Vec::with_capacity(body.len() / 2);
        match self {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(out, Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()
            }
            Coding::Deflate => {
                let mut encoder = ZlibEncoder::new(out, Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()
            }
        }
    }

    /// `None` when it is larger than a body may be.
    fn decompress(self, body: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let bound = limits::GATEWAY_BODY_BYTES as u64 + 1;
        let mut out = Vec::new();
        match self {
            Coding::Gzip => MultiGzDecoder::new(body).take(bound).read_to_end(&mut out)?,
            Coding::Deflate => ZlibDecoder::new(body).take(bound).read_to_end(&mut out)?,
        };
        Ok((out.len() as u64).lt(&bound).then_some(out))
    }
}

/// A request's body as it was before its client compressed it; without a `Content-Encoding` the same.
///
/// # Errors
/// 415 for a coding that isn't known, 400 for bytes that aren't in it, 413 for more than a body may have.
pub(crate) async fn unpacked(headers: &HeaderMap, body: Bytes) -> Result<Bytes, GatewayError> {
    let named = match headers.get(CONTENT_ENCODING) {
        Some(value) if !body.is_empty() => value.to_str().unwrap_or_default().trim(),
        _ => return Ok(body),
    };
    if named.eq_ignore_ascii_case("identity") {
        return Ok(body);
    }
    let coding = Coding::parse(named).ok_or(GatewayError::UnsupportedMediaType)?;
    match apart(body.len(), move || coding.decompress(&body)).await {
        Ok(Some(unpacked)) => Ok(Bytes::from(unpacked)),
        Ok(None) => Err(GatewayError::RequestTooLarge),
        Err(_) => Err(GatewayError::BadRequest),
    }
}

/// Compresses an answer of at least `minimum` bytes, if its client takes that and nobody did it before.
pub(crate) async fn pack(answer: &mut Answer, headers: &HeaderMap, minimum: u64) {
    let is_coded = answer.headers.iter().any(|(name, _)| *name == CONTENT_ENCODING);
    if is_coded || answer.body.is_empty() || (answer.body.len() as u64) < minimum {
        return;
    }
    let Some(coding) = Coding::accepted(headers) else { return };
    let body = answer.body.clone();
    if let Ok(packed) = apart(body.len(), move || coding.compress(&body)).await {
        answer.body = Bytes::from(packed);
        answer.headers.push((CONTENT_ENCODING, coding.header()));
        answer.headers.push((VARY, HeaderValue::from_static("Accept-Encoding")));
    }
}

/// Long work holds up nobody else's request.
async fn apart<T: Send + 'static>(
    length: usize,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if length <= BRIEF_BYTES_MAX {
        return work();
    }
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: http::header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_coding_is_the_one_that_the_client_likes_best() {
        for (accepted, coding) in [
            ("gzip", Some(Coding::Gzip)),
            ("deflate, gzip", Some(Coding::Gzip)),
            ("deflate;q=1.0, gzip;q=0.5", Some(Coding::Deflate)),
            ("gzip;q=0, deflate", Some(Coding::Deflate)),
            ("*", Some(Coding::Gzip)),
            ("br, identity", None),
            ("gzip;q=0", None),
            ("", None),
        ] {
            assert_eq!(Coding::accepted(&headers(ACCEPT_ENCODING, accepted)), coding, "{accepted}");
        }
    }

    #[tokio::test]
    async fn bodies_come_back_as_they_were() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            for length in [1, 1000, 300_000] {
                let body = Bytes::from(vec![b'x'; length]);
                let packed = Bytes::from(coding.compress(&body).unwrap());
                let headers = headers(CONTENT_ENCODING, coding.header().to_str().unwrap());
                assert_eq!(unpacked(&headers, packed).await, Ok(body));
            }
        }
    }

    #[tokio::test]
    async fn what_cant_be_unpacked_is_told() {
        let bomb = Coding::Gzip.compress(&vec![0; limits::GATEWAY_BODY_BYTES + 1]).unwrap();
        for (coding, body, error) in [
            ("br", &b"x"[..], GatewayError::UnsupportedMediaType),
            ("gzip", b"no gzip", GatewayError::BadRequest),
            ("gzip", &bomb, GatewayError::RequestTooLarge),
            ("deflate", &bomb, GatewayError::BadRequest),
        ] {
            let body = Bytes::copy_from_slice(body);
            assert_eq!(unpacked(&headers(CONTENT_ENCODING, coding), body).await, Err(error), "{coding}");
        }
        let body = Bytes::from_static(b"plain");
        assert_eq!(unpacked(&headers(CONTENT_ENCODING, "identity"), body.clone()).await, Ok(body.clone()));
        assert_eq!(unpacked(&HeaderMap::new(), body.clone()).await, Ok(body));
    }

    #[tokio::test]
    async fn an_answer_is_packed_from_the_minimum_on() {
        let answer = |length: usize| Answer {
            status: 200,
            headers: Vec::new(),
            body: Bytes::from(vec![b'x'; length]),
            is_traced: false,
        };
        let gzip = headers(ACCEPT_ENCODING, "gzip");
        let mut short = answer(99);
        pack(&mut short, &gzip, 100).await;
        assert_eq!((short.body.len(), short.headers.len()), (99, 0));
        let mut long = answer(100);
        pack(&mut long, &gzip, 100).await;
        assert_eq!(Coding::Gzip.decompress(&long.body).unwrap().unwrap(), [b'x'; 100]);
        pack(&mut long, &gzip, 0).await;
        assert_eq!(long.headers.iter().filter(|(name, _)| *name == CONTENT_ENCODING).count(), 1, "once");
        let mut empty = answer(0);
        pack(&mut empty, &gzip, 0).await;
        assert!(empty.headers.is_empty());
    }
}
