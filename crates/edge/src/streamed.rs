//! Answers that are passed on as they come: what stands before a function's body, and bodies that are under way.

mod body;
mod stream;

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use pitbird_event::{Malformed, PRELUDE_END};
use pitbird_invoke::{Outcome, Piece, Pieces, Refused};
use thiserror::Error;

pub(crate) use body::Begun;
pub use body::{ApiBody, StreamedBody};
pub(crate) use stream::{Next, Source, Stream};

/// A body that a function has begun to write.
#[derive(Debug)]
pub(crate) struct FunctionBody {
    /// What came together with the head.
    first: Bytes,
    pieces: Pieces,
}

/// Why there is no answer to be had from a function's.
#[derive(Debug, Error)]
pub(crate) enum Failed {
    #[error("the function failed: {:?}", .0.error_type)]
    Function(Box<Outcome>),
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("what stands before the body is too long")]
    TooLong,
    #[error("what stands before the body has no end")]
    Endless,
    #[error("it ended before its body began")]
    NoBody(Box<Outcome>),
    #[error("{0}")]
    Malformed(#[from] Malformed),
}

impl FunctionBody {
    pub fn new(first: Bytes, pieces: Pieces) -> FunctionBody {
        FunctionBody { first, pieces }
    }

    /// The next piece; [`Piece::End`] is the last.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, Refused>> {
        match self.first.is_empty() {
            true => self.pieces.poll_next(context),
            false => Poll::Ready(Ok(Piece::Data(std::mem::take(&mut self.first)))),
        }
    }
}

/// What stands before the body, at most so many bytes, and as much of the body as came with it.
pub(crate) async fn prelude(pieces: &mut Pieces, bytes_max: usize) -> Result<(Bytes, Bytes), Failed> {
    let mut read = BytesMut::new();
    loop {
        match next(pieces).await? {
            Piece::Data(data) => read.extend_from_slice(&data),
            Piece::End(outcome) => return Err(Failed::NoBody(Box::new(succeeded(outcome)?))),
        }
        let end = prelude_end(&read)?;
        if end.unwrap_or(read.len()) > bytes_max {
            return Err(Failed::TooLong);
        }
        if let Some(end) = end {
            let prelude = read.split_to(end).freeze();
            return Ok((prelude, read.freeze().slice(PRELUDE_END.len()..)));
        }
    }
}

/// Where what stands before the body ends, once all of the end is there.
pub(crate) fn prelude_end(read: &[u8]) -> Result<Option<usize>, Failed> {
    // No JSON has a NUL in it.
    let end = memchr::memchr(PRELUDE_END[0], read);
    match end.filter(|end| read.len() >= end + PRELUDE_END.len()) {
        Some(end) if !read[end..].starts_with(&PRELUDE_END) => Err(Failed::Endless),
        end => Ok(end),
    }
}

pub(crate) fn succeeded(outcome: Outcome) -> Result<Outcome, Failed> {
    match outcome.function_error {
        Some(_) => Err(Failed::Function(Box::new(outcome))),
        None => Ok(outcome),
    }
}

pub(crate) async fn next(pieces: &mut Pieces) -> Result<Piece, Refused> {
    poll_fn(|context| pieces.poll_next(context)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_nuls_end_what_stands_before_the_body() {
        let end = |read: &[u8]| prelude_end(read).map_err(|failed| failed.to_string());
        assert_eq!(end(b"{}\0\0\0\0\0\0\0\0body"), Ok(Some(2)));
        assert_eq!(end(b"{}\0\0\0\0\0\0\0\0"), Ok(Some(2)));
        for unfinished in [&b""[..], b"{}", b"{}\0\0\0"] {
            assert_eq!(end(unfinished), Ok(None));
        }
        assert!(end(b"{}\0\0\0\0\0\0\0body").is_err());
    }
}
