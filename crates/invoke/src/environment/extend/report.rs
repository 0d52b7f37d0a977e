//! What the log says of extensions, and of invocations on which they work longer than the runtime.

use std::time::Instant;

use super::super::{State, ms};
use crate::clock;
use crate::extensions::machine::Phase;
use crate::extensions::wind_down::Reason;
use crate::fault::Status;
use crate::invocation::Billed;
use crate::lines::{self, Line, Report, Segment, Span};
use crate::measure::InvocationProbe;
use crate::pool::{Job, Pool};
use crate::runtime_api::trace_of;
use crate::trace::Traced;

/// An invocation that its caller has the answer of, and that is not over for the environment.
#[derive(Debug)]
pub struct Unreported {
    request_id: String,
    trace: String,
    segment: Option<Segment>,
    duration_ms: f64,
    /// What is paid for as far as it is known.
    paid_ms: f64,
    memory_mib: u32,
    memory_peak_mib: u64,
    init_ms: Option<f64>,
    produced_bytes: usize,
    status: Status,
    started: Instant,
    answer_began: Option<Instant>,
    ended: Instant,
    /// Subscribers know that the runtime is done with it.
    is_runtime_done: bool,
    probe: InvocationProbe,
    at_ms: i64,
}

impl Unreported {
    /// What became of the invocation's time, until now. Source: Lambda developer guide, "Telemetry API event schema", `Span`.
    fn spans(&self, now: Instant, now_ms: i64) -> [Span; 3] {
        let began = self.answer_began.unwrap_or(self.ended).min(self.ended);
        let span = |name, from: Instant, to: Instant| {
            let start_ms = now_ms - now.saturating_duration_since(from).as_millis() as i64;
            Span { name, start_ms, duration_ms: ms(to.saturating_duration_since(from)) }
        };
        [
            span("responseLatency", self.started, began),
            span("responseDuration", began, self.ended),
            span("runtimeOverhead", self.ended, now),
        ]
    }
}

impl State {
    /// What the log says of extensions once the start is over, or has failed.
    pub(in crate::environment) fn say_extensions(&mut self) {
        let Some(extended) = self.extended.as_deref() else { return };
        let now_ms = clock::now_ms();
        self.output.catch_up(now_ms);
        for extension in extended.machine.all() {
            let error_type = match extension.phase {
                Phase::LaunchError => Some("Extension.LaunchError"),
                Phase::InitError => Some("Extension.InitError"),
                Phase::ExitError => Some("Extension.ExitError"),
                Phase::Exited => Some("Extension.Crash"),
                _ => None,
            };
            let line = Line::Extension {
                name: &extension.name,
                state: extension.phase.as_str(),
                events: extension.events().collect(),
                error_type,
            };
            self.output.say(now_ms, &line);
        }
    }

    /// The start has gone well. The log has a report of it only where the environment is kept ready. Source: Lambda developer guide,
    /// "Understanding the Lambda execution environment lifecycle".
    pub(in crate::environment) fn tell_started(&mut self, init_ms: f64) {
        let (is_retry, is_provisioned) = (self.start.is_retry, self.is_provisioned);
        if self.extended.is_none() && !is_provisioned {
            return;
        }
        let now_ms = clock::now_ms();
        self.say_extensions();
        let report = Line::InitReport { init_ms, is_retry, is_provisioned, status: Status::Ended };
        self.output.relay(now_ms, &report);
        if is_provisioned {
            self.output.catch_up(now_ms);
            self.output.log(now_ms, &report);
        }
        if let Some(relay) = &mut self.output.relay {
            relay.close();
        }
    }

    /// Remembers an invocation's duration, what is paid for, the start's duration (ms), the peak of memory (MiB) and the answer's length.
    pub(in crate::environment) fn report_later(
        &mut self,
        pool: &Pool,
        job: &Job,
        (started, ended): (Instant, Instant),
        status: Status,
        (duration_ms, paid_ms, init_ms, memory_peak_mib, produced_bytes): (f64, f64, Option<f64>, u64, usize),
    ) {
        let Some(extended) = self.extended.as_deref_mut() else { return };
        extended.unreported = Some(Unreported {
            request_id: job.invocation.request_id.clone(),
            trace: trace_of(&job.invocation).into_owned(),
            segment: job.traced.as_deref().map(Traced::segment),
            duration_ms,
            paid_ms,
            memory_mib: pool.memory_mib(),
            memory_peak_mib,
            init_ms,
            produced_bytes,
            status,
            started,
            answer_began: extended.answer_began.take(),
            ended,
            is_runtime_done: false,
            probe: job.target.probe.clone(),
            at_ms: job.invocation.at_ms,
        });
    }

    /// Tells those that have subscribed that the runtime is done with an invocation, once.
    pub(in crate::environment) fn tell_runtime_done(&mut self) {
        let Some(extended) = self.extended.as_deref_mut() else { return };
        let Some(unreported) = &mut extended.unreported else { return };
        if std::mem::replace(&mut unreported.is_runtime_done, true) {
            return;
        }
        let now_ms = clock::now_ms();
        self.output.catch_up(now_ms);
        let done = Line::End {
            request_id: &unreported.request_id,
            duration_ms: unreported.duration_ms,
            produced_bytes: unreported.produced_bytes,
            status: &unreported.status,
            trace: Some(&unreported.trace),
            spans: &unreported.spans(Instant::now(), now_ms),
        };
        self.output.relay(now_ms, &done);
    }

    /// `REPORT` of an invocation on which extensions, or the runtime, have worked until now.
    pub(in crate::environment) fn report_invocation(&mut self, pool: &Pool) {
        if self.extended.is_none() {
            return;
        }
        self.tell_runtime_done();
        let Some(extended) = self.extended.as_deref_mut() else { return };
        let Some(unreported) = extended.unreported.take() else { return };
        // Its caller has the answer, and yet it took too long.
        let is_late = extended.reason == Some(Reason::Timeout) && unreported.status == Status::Ended;
        let is_over = unreported.status != Status::Ended;
        let extensions_ms = if is_over { 0.0 } else { ms(unreported.ended.elapsed()) };
        let billed_ms = (unreported.paid_ms + extensions_ms).ceil() as u64;
        let request_id = unreported.request_id.as_str();
        let now_ms = clock::now_ms();
        if is_late {
            let words = lines::timed_out(now_ms, request_id, pool.timeout_s());
            self.output.say(now_ms, &Line::Words { request_id, words: &words });
        }
        let report = Report {
            request_id,
            duration_ms: unreported.duration_ms,
            billed_ms,
            memory_mib: unreported.memory_mib,
            memory_peak_mib: unreported.memory_peak_mib,
            init_ms: unreported.init_ms,
            status: if is_late { &Status::Timeout } else { &unreported.status },
            trace: Some(&unreported.trace),
            segment: unreported.segment,
        };
        self.output.say(now_ms, &Line::Report(report));
        let billed = Billed {
            mib_ms: billed_ms * u64::from(unreported.memory_mib),
            is_provisioned: self.is_provisioned,
        };
        unreported.probe.extended(unreported.at_ms, extensions_ms, billed);
    }
}
