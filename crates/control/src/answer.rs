//! What goes back to a caller: a body that is there, or events as they come.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::{Either, Full};
use pitbird_service::Events;
use pitbird_wire as wire;

/// Body of an answer.
pub type Answer = Either<Full<Bytes>, EventBody>;

/// An answer's events, written as they come. A fault breaks the body off: the caller sees that it isn't whole.
pub struct EventBody {
    pub(crate) call: wire::Call<'static>,
    pub(crate) request_id: String,
    /// What comes before the events.
    pub(crate) first: Option<Bytes>,
    pub(crate) events: Events,
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let EventBody { call, request_id, first, events } = self.get_mut();
        if let Some(first) = first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(event) = ready!(events.as_mut().poll_next(context)) else { return Poll::Ready(None) };
        let (service, operation) = (call.model.key, call.operation.name);
        let written = event.map_err(|fault| {
            tracing::warn!(service, operation, request_id, code = %fault.code, "an answer broke off");
            io::Error::other(fault.into_told().message)
        });
        let written = written.and_then(|event| {
            call.encode_event(event.name, &event.value).map_err(|error| {
                tracing::error!(service, operation, request_id, %error, "an event doesn't fit its model");
                io::Error::other(error)
            })
        });
        Poll::Ready(Some(written.map(Frame::data)))
    }
}
