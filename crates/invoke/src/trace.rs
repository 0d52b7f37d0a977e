//! An invocation's own part in its trace.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pitbird_trace::{Context, Kind, Link, Reservoir, Span, SpanId, TraceId, Tracer};

use crate::invocation::Invocation;
use crate::lines::Segment;
use crate::pool::{Job, Pool};

/// An invocation whose trace is recorded.
#[derive(Debug)]
pub(crate) struct Traced {
    trace: TraceId,
    id: SpanId,
    parent: Option<SpanId>,
    /// The caller's span, if the caller has only queued it: then its part of the trace is over, or was at an earlier attempt.
    queued_by: Option<SpanId>,
    began: Instant,
}

/// What became of it.
pub(crate) struct Told<'a> {
    pub ended: Instant,
    /// Of an environment's first invocation, for which it was started: when the start began, and how long it took.
    pub init: Option<(Instant, Duration)>,
    /// The name of the environment's log stream.
    pub environment: &'a str,
    pub error_type: Option<&'a str>,
}

impl Traced {
    /// Joins an invocation's trace. Who called decides whether it is recorded; where nobody has decided it is decided here, by the
    /// server's rate and, for functions that trace actively, by X-Ray's own rule. From here on the invocation's header tells what
    /// was decided, and names this part of the trace as the parent of what the function does.
    pub fn join(
        tracer: &Tracer,
        reservoir: &Reservoir,
        is_active: bool,
        invocation: &mut Invocation,
    ) -> Option<Box<Traced>> {
        if !is_active && !tracer.is_on() {
            return None;
        }
        let context = context_of(invocation);
        let now_s = (invocation.at_ms / 1000).max(0) as u64;
        let is_sampled = context.is_sampled.unwrap_or_else(|| {
            tracer.decide(fastrand::f64()) || (is_active && reservoir.takes(now_s, fastrand::f64()))
        });
        if !is_sampled {
            if context.is_sampled.is_none() {
                invocation.trace_id = Some(Context { is_sampled: Some(false), ..context }.to_xray());
            }
            return None;
        }
        let id = SpanId::new(fastrand::u64(..));
        let own = Context { trace: context.trace, parent: Some(id), is_sampled: Some(true) };
        invocation.trace_id = Some(own.to_xray());
        let queued_by = context.parent.filter(|_| invocation.is_queued);
        Some(Box::new(Traced {
            trace: own.trace,
            id,
            parent: context.parent,
            queued_by,
            began: Instant::now(),
        }))
    }

    /// Decides for an event that will run later, so that all its attempts are recorded, or none.
    pub fn decide(tracer: &Tracer, invocation: &mut Invocation) {
        if !tracer.is_on() {
            return;
        }
        let context = context_of(invocation);
        if context.is_sampled.is_none() {
            let is_sampled = Some(tracer.decide(fastrand::f64()));
            invocation.trace_id = Some(Context { is_sampled, ..context }.to_xray());
        }
    }

    /// As `REPORT` names it.
    pub fn segment(&self) -> Segment {
        Segment { trace: self.trace, id: self.id }
    }

    /// Records the invocation, and its environment's start if that was part of it.
    pub fn record(&self, tracer: &Tracer, pool: &Pool, job: &Job, told: &Told<'_>) {
        if !tracer.is_on() {
            return;
        }
        if let Some((began, took)) = told.init {
            let mut span =
                self.span(SpanId::new(fastrand::u64(..)), Some(self.id), "init", (began, began + took));
            span.kind = Kind::Internal;
            span.say("faas.name", pool.record.name.as_str());
            tracer.record(span);
        }
        let mut span = self.span(self.id, self.parent, &pool.record.name, (self.began, told.ended));
        let arn = job.target.arn.to_str().unwrap_or_default();
        span.say("faas.name", pool.record.name.as_str());
        span.say("faas.version", pool.version().to_string());
        span.say("faas.invocation_id", job.invocation.request_id.as_str());
        span.say("faas.coldstart", told.init.is_some());
        span.say("faas.instance", told.environment);
        span.say("aws.lambda.invoked_arn", arn);
        span.say_some("pitbird.qualifier", arn.split(':').nth(7));
        span.say("cloud.account.id", pool.record.scope.account.as_str());
        span.say("cloud.region", pool.record.scope.region.as_str());
        span.link = self.queued_by.map(|span| Link { trace: self.trace, span });
        if let Some(error_type) = told.error_type {
            span.say("error.type", error_type);
            span.error = Some(String::new());
        }
        tracer.record(span);
    }

    fn span(
        &self,
        id: SpanId,
        parent: Option<SpanId>,
        name: &str,
        (began, ended): (Instant, Instant),
    ) -> Span {
        Span {
            trace: self.trace,
            id,
            parent,
            kind: Kind::Server,
            name: name.to_owned(),
            start_ns: clock_ns(began),
            end_ns: clock_ns(ended),
            attributes: Vec::with_capacity(10),
            error: None,
            link: None,
        }
    }
}

/// What an invocation's caller said of its trace, or a new one.
fn context_of(invocation: &Invocation) -> Context {
    let told = invocation.trace_id.as_deref().and_then(|text| Context::parse_xray(text.as_bytes()));
    told.unwrap_or_else(|| Context {
        trace: TraceId::new((invocation.at_ms / 1000) as u32, fastrand::u128(..)),
        parent: None,
        is_sampled: None,
    })
}

/// What the clock said then, nanoseconds since 1970.
fn clock_ns(then: Instant) -> u64 {
    let now_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    now_ns.saturating_sub(then.elapsed().as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use pitbird_trace::Rate;

    use super::*;

    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

    /// Whether an invocation's trace is recorded, and what its header says then.
    fn joined(tracer: &Tracer, is_active: bool, header: Option<&str>) -> (bool, Option<String>) {
        let mut invocation = Invocation {
            trace_id: header.map(str::to_owned),
            at_ms: 1_465_510_280_000,
            ..Invocation::default()
        };
        let traced = Traced::join(tracer, &Reservoir::default(), is_active, &mut invocation);
        (traced.is_some(), invocation.trace_id)
    }

    #[test]
    fn nothing_is_touched_where_nobody_records() {
        for header in [
            None,
            Some(ROOT),
            Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"),
        ] {
            assert_eq!(joined(&Tracer::off(), false, header), (false, header.map(str::to_owned)));
        }
    }

    #[test]
    fn the_callers_decision_counts_and_else_the_functions_mode_and_the_servers_rate() {
        let (all, _spans) = Tracer::new(Rate::ALL);
        let (none, _spans) = Tracer::new(Rate::NONE);
        let off = Tracer::off();
        let (yes, no) = (format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1"), format!("{ROOT};Sampled=0"));
        for (tracer, is_active, header, is_recorded) in [
            (&off, true, Some(yes.as_str()), true),
            (&off, true, Some(no.as_str()), false),
            // The first of its second.
            (&off, true, Some(ROOT), true),
            (&off, true, None, true),
            (&all, false, Some(ROOT), true),
            (&all, false, None, true),
            (&all, true, Some(no.as_str()), false),
            (&none, false, Some(yes.as_str()), true),
            (&none, false, Some(ROOT), false),
            (&none, false, None, false),
        ] {
            let (recorded, told) = joined(tracer, is_active, header);
            assert_eq!(recorded, is_recorded, "{tracer:?} {is_active} {header:?}");
            let told = told.unwrap();
            assert!(told.ends_with(if is_recorded { ";Sampled=1" } else { ";Sampled=0" }), "{told}");
            assert!(header.is_none() || told.starts_with(ROOT), "{told}");
            assert!(
                !told.contains("53995c3f42cd8ad8"),
                "the function's parent is its own invocation: {told}"
            );
        }
    }

    #[test]
    fn a_queued_event_knows_which_span_has_queued_it() {
        let (all, _spans) = Tracer::new(Rate::ALL);
        let header = format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1");
        for (is_queued, header, queued_by) in [
            (true, header.as_str(), Some("53995c3f42cd8ad8")),
            (false, header.as_str(), None),
            (true, ROOT, None),
        ] {
            let trace_id = Some(header.to_owned());
            let mut invocation = Invocation { trace_id, is_queued, ..Invocation::default() };
            let traced = Traced::join(&all, &Reservoir::default(), false, &mut invocation).unwrap();
            assert_eq!(traced.queued_by.map(|span| span.to_string()).as_deref(), queued_by, "{header}");
        }
    }

    #[test]
    fn an_event_is_decided_once() {
        let (all, _spans) = Tracer::new(Rate::ALL);
        let mut invocation = Invocation { trace_id: Some(ROOT.to_owned()), ..Invocation::default() };
        Traced::decide(&Tracer::off(), &mut invocation);
        assert_eq!(invocation.trace_id.as_deref(), Some(ROOT));
        Traced::decide(&all, &mut invocation);
        assert_eq!(invocation.trace_id, Some(format!("{ROOT};Sampled=1")));
        let refused = Some(format!("{ROOT};Sampled=0"));
        invocation.trace_id.clone_from(&refused);
        Traced::decide(&all, &mut invocation);
        assert_eq!(invocation.trace_id, refused);
    }
}
