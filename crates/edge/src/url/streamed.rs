//! A function's streamed answer as HTTP: what stands before its body, and the body as it comes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body::{Body, Frame};
use pitbird_invoke::{Piece, Pieces};

use super::{Answer, Content};
use crate::streamed::{Failed, FunctionBody, next, prelude, succeeded};

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
pub struct StreamBody(FunctionBody);

/// The answer to the client, once the function has said what it is.
pub(super) async fn answer(mut pieces: Pieces) -> Result<Answer, Failed> {
    let content_type = pieces.content_type.take();
    if content_type.as_ref().is_some_and(|kind| kind == INTEGRATION) {
        let (prelude, first) = prelude(&mut pieces, PRELUDE_BYTES_MAX).await?;
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
        Content::Streamed(Box::new(StreamBody(FunctionBody::new(first, pieces))))
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match ready!(self.get_mut().0.poll_next(context)) {
            Ok(Piece::Data(data)) => Some(Ok(Frame::data(data))),
            Ok(Piece::End(outcome)) => succeeded(outcome).err().map(|failed| Err(io::Error::other(failed))),
            Err(refused) => Some(Err(io::Error::other(refused))),
        })
    }
}
