//! The body of a request: here already, or coming.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};

pub enum Received {
    /// All of it came with the head.
    Whole(Full<Bytes>),
    /// It is read piece by piece, as fast as it is asked for.
    Coming(Incoming),
}

impl From<Bytes> for Received {
    fn from(whole: Bytes) -> Received {
        Received::Whole(Full::new(whole))
    }
}

impl From<Incoming> for Received {
    fn from(coming: Incoming) -> Received {
        Received::Coming(coming)
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Received::Whole(whole) => {
                Pin::new(whole).poll_frame(cx).map_err(|never: Infallible| match never {})
            }
            Received::Coming(coming) => Pin::new(coming).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Received::Whole(whole) => whole.is_end_stream(),
            Received::Coming(coming) => coming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Received::Whole(whole) => whole.size_hint(),
            Received::Coming(coming) => coming.size_hint(),
        }
    }
}
