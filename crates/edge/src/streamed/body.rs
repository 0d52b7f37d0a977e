use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame};
use http_body_util::{Either, Full};
use pitbird_snapshot::Stage;

use super::{Next, Stream};
use crate::Edge;
use crate::admitted::Admitted;
use crate::arrival::{Arrival, Kept};
use crate::choose::{By, Chosen};
use crate::copied::Copied;
use crate::execution_log::{self, ExecutionLog, Log};
use crate::integrate::Outcome;
use crate::journey::route;

/// Body of what a REST API's client gets: nearly always there as a whole.
pub type ApiBody = Either<Full<Bytes>, Box<StreamedBody>>;

/// A body that comes as the integration writes it. When that fails it breaks off, so that the client sees that it isn't whole. Its
/// exchange is recorded when it is over, however that comes about.
pub struct StreamedBody(Option<UnderWay>);

struct UnderWay {
    stream: Box<Stream>,
    exchange: Box<Unrecorded>,
}

/// All that is to be recorded of an exchange but its end.
struct Unrecorded {
    edge: Arc<Edge>,
    stage: Arc<Stage>,
    is_canary: bool,
    is_evidence: bool,
    by: By,
    copied: Copied,
    kept: Kept,
    admitted: Admitted,
    log: Option<Box<ExecutionLog>>,
    outcome: Outcome,
}

/// An exchange whose answer is about to be passed on.
pub(crate) struct Begun<'a> {
    pub edge: &'a Arc<Edge>,
    pub stage: &'a Arc<Stage>,
    pub chosen: Chosen<'a>,
    pub arrival: Arrival<'a>,
    pub admitted: Admitted,
    pub outcome: Outcome,
    pub log: Option<Box<ExecutionLog>>,
}

impl Begun<'_> {
    /// The answer's head, and its body to come.
    pub fn into_response(self, stream: Box<Stream>) -> Response<ApiBody> {
        let Begun { edge, stage, chosen, arrival, admitted, outcome, log } = self;
        let copied = Copied::of(&arrival);
        let kept = arrival.kept();
        let ids = (kept.request_id.clone(), kept.extended_request_id.clone());
        let answer = outcome.answer.clone();
        let response = answer.into_response(ids.0, ids.1, outcome.trace_id.clone());
        let Chosen { track, is_evidence, by, .. } = chosen;
        let exchange = Box::new(Unrecorded {
            edge: edge.clone(),
            stage: stage.clone(),
            is_canary: track.is_canary,
            is_evidence,
            by,
            copied,
            kept,
            admitted,
            log,
            outcome,
        });
        response.map(|_| Either::Right(Box::new(StreamedBody(Some(UnderWay { stream, exchange })))))
    }
}

impl UnderWay {
    fn record(self) {
        let UnderWay { stream, exchange } = self;
        let Unrecorded { edge, stage, is_canary, is_evidence, by, copied, kept, admitted, log, mut outcome } =
            *exchange;
        outcome.over(stream);
        let track = match &stage.canary {
            Some((_, canary)) if is_canary => canary,
            _ => &stage.base,
        };
        let chosen = Chosen { track, is_evidence, is_mirrored: false, by };
        let arrival = Arrival::again(&copied, kept);
        let log = Log(log.as_deref());
        let mut routed = route(&stage, track, &arrival).ok();
        if let Some(routed) = &mut routed {
            routed.log = log;
        }
        execution_log::finish(log, &arrival, &outcome);
        edge.record(&stage, chosen, routed.as_ref(), &arrival, &admitted, &outcome);
    }
}

impl StreamedBody {
    fn over(&mut self) {
        if let Some(under_way) = self.0.take() {
            under_way.record();
        }
    }
}

impl Drop for StreamedBody {
    /// Its client has gone, or never wanted a body.
    fn drop(&mut self) {
        self.over();
    }
}

impl Body for StreamedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = self.get_mut();
        let Some(under_way) = &mut body.0 else { return Poll::Ready(None) };
        let next = ready!(under_way.stream.poll_next(context));
        if let Next::Data(data) = next {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        body.over();
        Poll::Ready(match next {
            Next::Broken => Some(Err(io::Error::other("the integration's answer broke off"))),
            _ => None,
        })
    }
}
