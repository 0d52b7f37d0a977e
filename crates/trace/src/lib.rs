//! The trace that a request belongs to: read from headers, decided, told on, and the spans of what happened in it.
//!
//! Two languages say the same: W3C's `traceparent` and AWS's `X-Amzn-Trace-Id`. [`Context`] is what both say, with one trace id of
//! 128 bits: `Root=1-5759e988-bd862e3fe1be46a994272793` is W3C's `5759e988bd862e3fe1be46a994272793`. Whether a trace is recorded is
//! decided once, by whoever comes first, and obeyed by all who come after ([`Tracer::decide`], [`Reservoir`]).
//!
//! A [`Span`] goes into a queue with a bound ([`Tracer::record`]): no lock, no waiting; what finds no room is counted. Who takes
//! spans out of it ([`Spans`]) and where they go is not known here, nor is any clock or source of chance: times and random numbers
//! are arguments.

mod context;
mod sampling;
mod span;
mod tracer;

pub use context::{Context, SpanId, TraceId, header, told};
pub use sampling::{Rate, Reservoir};
pub use span::{Kind, Link, Span, TEXT_BYTES_MAX, Value};
pub use tracer::{QUEUE_MAX, Spans, Tracer};
