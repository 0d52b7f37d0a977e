//! Bodies in frames (`aws-chunked`), as S3's clients stream them.
//!
//! A frame is its length in hexadecimal, perhaps `;chunk-signature=`, a line break, that many bytes, a line break. The last
//! one is empty; trailers follow it, perhaps with a signature of their own, and an empty line. Each signature covers the one
//! before it, the first the request's. Source: S3 API reference, "Signature calculations: transferring a payload in multiple
//! chunks", with and without trailing headers.

use crate::Identity;
use crate::key::{self, TERMINATOR};
use crate::request::hex;
use crate::stamp::Stamp;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A frame's line or a trailer, bytes; the longest real one is below 200.
const LINE_BYTES_MAX: usize = 1024;
/// No client sends more than two.
const TRAILERS_MAX: usize = 8;
const FRAME_SIGNATURE: &str = "chunk-signature=";
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// How a body's frames are written, as `x-amz-content-sha256` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Frames without signatures, and trailers.
    Unsigned,
    /// Signed frames.
    Signed,
    /// Signed frames and signed trailers.
    SignedWithTrailers,
}

impl Framing {
    /// Reads the value of `x-amz-content-sha256`; `None` for a body without frames, and for forms that aren't known.
    pub fn parse(word: &str) -> Option<Framing> {
        match word {
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Framing::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(Framing::Signed),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(Framing::SignedWithTrailers),
            _ => None,
        }
    }

    fn is_signed(self) -> bool {
        self != Framing::Unsigned
    }
}

/// Why frames can't be taken for a body.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error("the body is not in the frames that x-amz-content-sha256 announces: {0}")]
    Malformed(&'static str),
    #[error("the body ends within a frame")]
    Incomplete,
    #[error("the signature of a frame does not match")]
    Signature,
}

/// What signed frames are held against.
pub struct Seal {
    key: [u8; 32],
    signed: Stamp,
    scope: String,
    /// The request's own signature.
    signature: String,
}

impl Seal {
    pub(crate) fn new(secret: &str, identity: &Identity, signed: Stamp, signature: String) -> Seal {
        let Identity { date, region, service, .. } = identity;
        let scope = format!("{date}/{region}/{service}/{TERMINATOR}");
        Seal { key: key::signing(secret, identity), signed, scope, signature }
    }

    /// Checks a signature that covers the one before it and `covered`, and becomes the one before.
    fn check(
        &self,
        before: &mut String,
        what: &str,
        covered: &[&[u8]],
        given: &str,
    ) -> Result<(), FrameError> {
        let mut text = format!("AWS4-HMAC-SHA256-{what}\n{}\n{}\n{before}", self.signed, self.scope);
        for part in covered {
            text.push('\n');
            text.push_str(&hex(&Sha256::digest(part)));
        }
        use hmac::Mac;
        let right = hex(&key::mac(&self.key, &text).finalize().into_bytes());
        if !key::is_same(&right, given) {
            return Err(FrameError::Signature);
        }
        *before = right;
        Ok(())
    }
}

/// A body out of its frames.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unframed {
    pub body: Vec<u8>,
    /// Names in lower case, and values.
    pub trailers: Vec<(String, String)>,
}

/// Takes a body out of its frames. Signatures are checked if there is a seal, and passed over if there is none.
pub fn unframe(framed: &[u8], framing: Framing, seal: Option<&Seal>) -> Result<Unframed, FrameError> {
    let seal = seal.filter(|_| framing.is_signed());
    let mut before = seal.map(|seal| seal.signature.clone()).unwrap_or_default();
    let mut unframed = Unframed { body: Vec::with_capacity(framed.len()), trailers: Vec::new() };
    let mut rest = framed;
    loop {
        let line = take_line(&mut rest)?;
        let (length, signature) = frame_line(line)?;
        let data = rest.get(..length).ok_or(FrameError::Incomplete)?;
        if let Some(seal) = seal {
            let given = signature.ok_or(FrameError::Malformed("a frame has no signature"))?;
            seal.check(&mut before, "PAYLOAD", &[b"", data], given)?;
        }
        if length == 0 {
            break;
        }
        unframed.body.extend_from_slice(data);
        rest = rest[length..].strip_prefix(b"\r\n").ok_or(FrameError::Malformed("a frame is not closed"))?;
    }
    let signature = take_trailers(rest, &mut unframed.trailers)?;
    if let Some(seal) = seal.filter(|_| framing == Framing::SignedWithTrailers) {
        let given = signature.ok_or(FrameError::Malformed("the trailers have no signature"))?;
        let lines: String =
            unframed.trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        seal.check(&mut before, "TRAILER", &[lines.as_bytes()], &given)?;
    }
    Ok(unframed)
}

fn take_line<'f>(rest: &mut &'f [u8]) -> Result<&'f str, FrameError> {
    let window = &rest[..rest.len().min(LINE_BYTES_MAX)];
    let Some(at) = window.windows(2).position(|pair| pair == b"\r\n") else {
        let is_short = rest.len() < LINE_BYTES_MAX;
        return Err(if is_short {
            FrameError::Incomplete
        } else {
            FrameError::Malformed("a line is too long")
        });
    };
    let line = std::str::from_utf8(&rest[..at]).map_err(|_| FrameError::Malformed("a line is no text"))?;
    *rest = &rest[at + 2..];
    Ok(line)
}

fn frame_line(line: &str) -> Result<(usize, Option<&str>), FrameError> {
    let (length, extension) = line.split_once(';').unwrap_or((line, ""));
    let is_number = (1..=8).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_hexdigit());
    let length = usize::from_str_radix(length, 16).ok().filter(|_| is_number);
    let length = length.ok_or(FrameError::Malformed("a frame's length is no number"))?;
    Ok((length, extension.strip_prefix(FRAME_SIGNATURE)))
}

/// Reads the trailers and gives their signature. The last line break may be missing: some clients leave it out.
fn take_trailers(
    mut rest: &[u8],
    trailers: &mut Vec<(String, String)>,
) -> Result<Option<String>, FrameError> {
    let mut signature = None;
    while !rest.is_empty() {
        let line = match take_line(&mut rest) {
            Ok(line) => line,
            Err(FrameError::Incomplete) => {
                let line =
                    std::str::from_utf8(rest).map_err(|_| FrameError::Malformed("a line is no text"))?;
                rest = &[];
                line
            }
            Err(error) => return Err(error),
        };
        // Some clients end a trailer with a line feed of its own before the line break.
        let line = line.trim_end_matches('\n');
        if line.is_empty() {
            continue;
        }
        let (name, value) = line.split_once(':').ok_or(FrameError::Malformed("a trailer has no colon"))?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        if name == TRAILER_SIGNATURE {
            signature = Some(value);
        } else if trailers.len() == TRAILERS_MAX {
            return Err(FrameError::Malformed("too many trailers"));
        } else {
            trailers.push((name, value));
        }
    }
    Ok(signature)
}

#[cfg(test)]
mod tests;
