use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::{Rate, Span};

/// Spans that may wait to be taken; with [`TEXT_BYTES_MAX`](crate::TEXT_BYTES_MAX) they take some MB.
pub const QUEUE_MAX: usize = 4096;

/// Where spans are recorded, if somebody takes them. Clones share everything.
///
/// The queue is tokio's bounded channel, in which to send without waiting takes no lock: a permit and a place are each one atomic
/// addition.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    rate: Rate,
    sender: Sender<Span>,
    dropped: AtomicU64,
}

/// Where recorded spans come out.
#[derive(Debug)]
pub struct Spans {
    receiver: Receiver<Span>,
    inner: Arc<Inner>,
}

impl Tracer {
    /// One that records, for who takes from [`Spans`].
    pub fn new(rate: Rate) -> (Tracer, Spans) {
        let (sender, receiver) = channel(QUEUE_MAX);
        let inner = Arc::new(Inner { rate, sender, dropped: AtomicU64::new(0) });
        (Tracer(Some(inner.clone())), Spans { receiver, inner })
    }

    /// One that records nothing and decides nothing.
    pub fn off() -> Tracer {
        Tracer(None)
    }

    /// Does somebody take spans?
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Is a trace that nobody has decided about recorded? The draw is in [0, 1).
    pub fn decide(&self, draw: f64) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.rate.takes(draw))
    }

    /// Hands a span on, or counts it where there is no room.
    pub fn record(&self, span: Span) {
        if let Some(inner) = &self.0
            && inner.sender.try_send(span).is_err()
        {
            inner.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Spans {
    /// Waits for spans, and moves as many as there are and fit to the end of `batch`. 0 when no more can come.
    pub async fn take(&mut self, batch: &mut Vec<Span>, most: usize) -> usize {
        self.receiver.recv_many(batch, most).await
    }

    /// A span that is there already.
    pub fn try_take(&mut self) -> Option<Span> {
        self.receiver.try_recv().ok()
    }

    /// Spans that found no room since the start.
    pub fn dropped(&self) -> u64 {
        self.inner.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, SpanId, TraceId};

    fn span(id: u64) -> Span {
        Span {
            trace: TraceId::new(1, 2),
            id: SpanId::new(id),
            parent: None,
            kind: Kind::Internal,
            name: String::new(),
            start_ns: 0,
            end_ns: 0,
            attributes: Vec::new(),
            error: None,
            link: None,
        }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_nothing_waits() {
        let (tracer, mut spans) = Tracer::new(Rate::ALL);
        for id in 0..QUEUE_MAX as u64 + 3 {
            tracer.record(span(id + 1));
        }
        assert_eq!(spans.dropped(), 3);
        assert!(spans.try_take().is_some_and(|span| span.id == SpanId::new(1)));
        tracer.record(span(9));
        assert_eq!(spans.dropped(), 3, "there was room again");
    }

    #[test]
    fn who_is_off_decides_nothing() {
        let off = Tracer::off();
        off.record(span(1));
        assert!(!off.is_on() && !off.decide(0.0));
        assert!(Tracer::new(Rate::ALL).0.decide(0.5));
    }
}
