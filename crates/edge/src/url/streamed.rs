//! A function's streamed answer as HTTP: what stands before its body, and the body as it comes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body::{Body, Frame};
use pitbird_event::{Malformed, PRELUDE_END};
use pitbird_invoke::{Outcome, Piece, Pieces, Refused};
use thiserror::Error;

use super::{Answer, Content};

/// Of an answer that says its status and headers itself. Source: Lambda developer guide, "Response streaming for Lambda
/// functions".
const INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";
/// What a streamed answer is that doesn't say it. Source: the same.
const USUAL_TYPE: &str = "application/octet-stream";
/// Longest text before the body, bytes.
const PRELUDE_BYTES_MAX: usize = 64 << 10;

/// A body that comes as the function writes it. When the function fails it breaks off, so that the client sees that it
/// isn't whole.
#[derive(Debug)]
pub struct StreamBody {
    /// What came together with the head.
    first: Bytes,
    pieces: Pieces,
}

/// Why there is no answer to be had from a function's.
#[derive(Debug, Error)]
pub(super) enum Failed {
    #[error("the function failed: {0:?}")]
    Function(Option<String>),
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("what stands before the body is too long")]
    TooLong,
    #[error("it ended before its body began")]
    NoBody,
    #[error("{0}")]
    Malformed(#[from] Malformed),
}

/// The answer to the client, once the function has said what it is.
pub(super) async fn answer(mut pieces: Pieces) -> Result<Answer, Failed> {
    let content_type = pieces.content_type.take();
    if content_type.as_ref().is_some_and(|kind| kind == INTEGRATION) {
        let (prelude, first) = prelude(&mut pieces).await?;
        let said = Answer::of_function(pitbird_event::stream_prelude(&prelude, USUAL_TYPE)?);
        return Ok(Answer { body: StreamBody::begun(first, pieces), ..said });
    }
    let body = match next(&mut pieces).await? {
        Piece::Data(first) => StreamBody::begun(first, pieces),
        Piece::End(outcome) => {
            succeeded(outcome)?;
            Content::Whole(Bytes::new())
        }
    };
    let content_type = content_type.unwrap_or(HeaderValue::from_static(USUAL_TYPE));
    Ok(Answer { status: 200, headers: vec![(CONTENT_TYPE, content_type)], body })
}

impl StreamBody {
    fn begun(first: Bytes, pieces: Pieces) -> Content {
        Content::Streamed(Box::new(StreamBody { first, pieces }))
    }
}

/// What stands before the body, and as much of the body as came with it.
async fn prelude(pieces: &mut Pieces) -> Result<(Bytes, Bytes), Failed> {
    let mut read = BytesMut::new();
    loop {
        match next(pieces).await? {
            Piece::Data(data) => read.extend_from_slice(&data),
            Piece::End(outcome) => {
                succeeded(outcome)?;
                return Err(Failed::NoBody);
            }
        }
        // No JSON has a NUL in it.
        let end = memchr::memchr(PRELUDE_END[0], &read);
        if let Some(end) = end.filter(|end| read.len() >= end + PRELUDE_END.len()) {
            let prelude = read.split_to(end).freeze();
            if !read.starts_with(&PRELUDE_END) {
                return Err(Failed::NoBody);
            }
            return Ok((prelude, read.freeze().slice(PRELUDE_END.len()..)));
        }
        if read.len() > PRELUDE_BYTES_MAX {
            return Err(Failed::TooLong);
        }
    }
}

fn succeeded(outcome: Outcome) -> Result<(), Failed> {
    match outcome.function_error {
        Some(_) => Err(Failed::Function(outcome.error_type)),
        None => Ok(()),
    }
}

async fn next(pieces: &mut Pieces) -> Result<Piece, Refused> {
    poll_fn(|context| pieces.poll_next(context)).await
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let StreamBody { first, pieces } = self.get_mut();
        if !first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(first)))));
        }
        Poll::Ready(match ready!(pieces.poll_next(context)) {
            Ok(Piece::Data(data)) => Some(Ok(Frame::data(data))),
            Ok(Piece::End(outcome)) => succeeded(outcome).err().map(|failed| Err(io::Error::other(failed))),
            Err(refused) => Some(Err(io::Error::other(refused))),
        })
    }
}
