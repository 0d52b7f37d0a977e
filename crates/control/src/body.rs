//! A call's body: read within bounds, and taken out of its frames.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue};
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use pitbird_names::limits;
use pitbird_sigv4::{FrameError, Framing, Seal, unframe};
use pitbird_wire::checksum::{self, Algorithm};
use pitbird_wire::{Call, Catalog, Fault, Location};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What room is counted in, bytes.
const MIB: usize = 1024 * 1024;
/// How long a long body waits for room among the others.
const ROOM_TIMEOUT: Duration = Duration::from_secs(30);
/// Frames may take this part of a body beside what they hold: 88 bytes for 8 KiB, the smallest frame.
const FRAMES_PART: usize = 64;
/// Room that is made beforehand, bytes; what a head announces needs not come.
const PREPARED_BYTES_MAX: usize = 16 * MIB;

/// The bodies that are held.
pub(crate) struct Bodies {
    room: Arc<Semaphore>,
}

/// A body, and its room for as long as the call lasts.
#[derive(Default)]
pub(crate) struct Held {
    pub bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Default for Bodies {
    fn default() -> Bodies {
        Bodies { room: Arc::new(Semaphore::new(limits::HELD_BODIES_BYTES / MIB)) }
    }
}

impl Bodies {
    /// Reads a whole body. One that announces no length has the usual limit; a longer one than usual is read only for
    /// operations whose body streams.
    pub async fn read<B>(&self, parts: &Parts, body: B) -> Result<Held, Fault>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if body.is_end_stream() {
            return Ok(Held::default());
        }
        let announced = number(parts, &CONTENT_LENGTH);
        let limit = match announced {
            Some(length) if length > limits::CALL_BODY_BYTES => longer(parts, length)?,
            _ => limits::CALL_BODY_BYTES,
        };
        let _room = match announced {
            Some(length) if length > limits::LONG_BODY_BYTES => Some(self.room(parts, length).await?),
            _ => None,
        };
        let mut body = std::pin::pin!(Limited::new(body, limit));
        let mut bytes = BytesMut::with_capacity(announced.unwrap_or_default().min(PREPARED_BYTES_MAX));
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => {
                    let data = frame.into_data().unwrap_or_default();
                    if bytes.len() + data.len() > bytes.capacity() {
                        // Who has sent so much is believed the rest, which spares doubling.
                        bytes.reserve(
                            announced.unwrap_or_default().saturating_sub(bytes.len()).max(data.len()),
                        );
                    }
                    bytes.put(data);
                }
                Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(too_large(parts)),
                Err(error) => {
                    let words = format!("The request's body broke off: {error}");
                    return Err(Fault::new("SerializationException", words));
                }
            }
        }
        Ok(Held { bytes: bytes.freeze(), _room })
    }

    /// Room for a body, twice if it has to be taken out of frames.
    async fn room(&self, parts: &Parts, bytes: usize) -> Result<OwnedSemaphorePermit, Fault> {
        let times = if framing(parts).is_some() { 2 } else { 1 };
        let mib = u32::try_from((bytes * times).div_ceil(MIB)).unwrap_or(u32::MAX);
        let room = self.room.clone().acquire_many_owned(mib);
        match tokio::time::timeout(ROOM_TIMEOUT, room).await {
            Ok(Ok(room)) => Ok(room),
            _ => Err(Fault::new("SlowDown", "Please reduce your request rate.").with_status(503)),
        }
    }
}

/// The limit of a body that is longer than usual.
fn longer(parts: &Parts, announced: usize) -> Result<usize, Fault> {
    let call = Catalog::embedded().identify(parts, &[]).ok().filter(|call| call.streams());
    let limit = call.and_then(|call| call.model.metadata.peculiar.body_bytes_max);
    let Some(limit) = limit else { return Err(too_large(parts)) };
    let framed = framing(parts).map(|_| number(parts, &DECODED_LENGTH).unwrap_or(usize::MAX));
    if framed.unwrap_or(announced) > limit || announced > limit + limit / FRAMES_PART {
        let words = "Your proposed upload exceeds the maximum allowed size";
        let fault = Fault::new("EntityTooLarge", words)
            .with_member("ProposedSize", framed.unwrap_or(announced).to_string())
            .with_member("MaxSizeAllowed", limit.to_string());
        return Err(fault.with_status(400));
    }
    Ok(announced)
}

/// The operation is named where the head says which it is.
fn too_large(parts: &Parts) -> Fault {
    let mut words = format!("Request must be smaller than {} bytes", limits::CALL_BODY_BYTES);
    if let Ok(call) = Catalog::embedded().identify(parts, &[]) {
        let _ = write!(words, " for the {} operation", call.operation.name);
    }
    Fault::new("RequestEntityTooLargeException", words)
}

const DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
const ANNOUNCED_TRAILERS: HeaderName = HeaderName::from_static("x-amz-trailer");

fn text<'p>(parts: &'p Parts, name: &HeaderName) -> Option<&'p str> {
    parts.headers.get(name)?.to_str().ok().map(str::trim)
}

fn number(parts: &Parts, name: &HeaderName) -> Option<usize> {
    text(parts, name)?.parse().ok()
}

/// How the body is framed, if it is.
pub(crate) fn framing(parts: &Parts) -> Option<Framing> {
    Framing::parse(text(parts, &HeaderName::from_static("x-amz-content-sha256"))?)
}

/// The head and the body as they are without frames: trailers become headers.
pub(crate) fn unframed(
    parts: &Parts,
    framing: Framing,
    framed: &[u8],
    seal: Option<&Seal>,
) -> Result<(Parts, Bytes), Fault> {
    let unframed = unframe(framed, framing, seal).map_err(|error| fault(&error))?;
    if number(parts, &DECODED_LENGTH).is_some_and(|announced| announced != unframed.body.len()) {
        return Err(fault(&FrameError::Incomplete));
    }
    let announced = text(parts, &ANNOUNCED_TRAILERS).unwrap_or_default().to_ascii_lowercase();
    let announced: Vec<&str> = announced.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let came = |name: &&str| unframed.trailers.iter().any(|(trailer, _)| trailer == name);
    if announced.len() != unframed.trailers.len() || !announced.iter().all(came) {
        return Err(malformed_trailer());
    }
    let mut parts = parts.clone();
    for (name, value) in unframed.trailers {
        let name = HeaderName::try_from(name).map_err(|_| malformed_trailer())?;
        let value = HeaderValue::from_str(&value).map_err(|_| malformed_trailer())?;
        parts.headers.insert(name, value);
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(unframed.body.len()));
    let encodings = text(&parts, &CONTENT_ENCODING).unwrap_or_default().to_owned();
    let own = encodings.split(',').map(str::trim).filter(|encoding| *encoding != "aws-chunked");
    match HeaderValue::from_str(&own.collect::<Vec<_>>().join(", ")) {
        Ok(own) if !own.is_empty() => parts.headers.insert(CONTENT_ENCODING, own),
        _ => parts.headers.remove(CONTENT_ENCODING),
    };
    Ok((parts, unframed.body.into()))
}

/// Holds a body that is a document against the checksums in its head. A checksum that is a member of the input is the
/// operation's to check, as are bodies that stream: it may be of something else.
pub(crate) fn check(call: &Call<'_>, parts: &Parts, body: &[u8]) -> Result<(), Fault> {
    let members = call.operation.input.map_or(&[][..], |shape| call.model.members(shape));
    let is_member = |header: &str| {
        members.iter().any(|member| member.location == Location::Header && member.wire_name() == header)
    };
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| !is_member(algorithm.header())) {
        let announced = text(parts, &HeaderName::from_static(algorithm.header()));
        if announced.is_some_and(|announced| announced != algorithm.of(body)) {
            let words =
                format!("The {} you specified did not match the calculated checksum.", algorithm.name());
            return Err(Fault::new("BadDigest", words).with_status(400));
        }
    }
    let announced = text(parts, &HeaderName::from_static("content-md5"));
    if announced.is_some_and(|announced| announced != STANDARD.encode(checksum::md5(body))) {
        let words = "The Content-MD5 you specified did not match what we received.";
        return Err(Fault::new("BadDigest", words).with_status(400));
    }
    Ok(())
}

fn malformed_trailer() -> Fault {
    let words = "The request contained trailing data that was not well-formed or did not conform to our published schema.";
    Fault::new("MalformedTrailerError", words).with_status(400)
}

fn fault(error: &FrameError) -> Fault {
    match error {
        FrameError::Malformed(_) => Fault::new("InvalidRequest", error.to_string()).with_status(400),
        FrameError::Incomplete => {
            let words = "You did not provide the number of bytes specified by the Content-Length HTTP header";
            Fault::new("IncompleteBody", words).with_status(400)
        }
        FrameError::Signature => {
            let words = "The request signature we calculated does not match the signature you provided. Check your key \
                         and signing method.";
            Fault::new("SignatureDoesNotMatch", words).with_status(403)
        }
    }
}
