//! What the log says of extensions, and of invocations on which they work longer than the runtime.

use std::time::Instant;

use super::super::{State, ms};
use super::Extended;
use crate::clock;
use crate::extensions::machine::Phase;
use crate::extensions::wind_down::Reason;
use crate::fault::Status;
use crate::lines::{self, Line, Report};
use crate::measure::InvocationProbe;
use crate::pool::{Job, Pool};

/// An invocation that its caller has the answer of, and that extensions still work on.
#[derive(Debug)]
pub struct Unreported {
    request_id: String,
    duration_ms: f64,
    /// What is paid for as far as it is known.
    paid_ms: f64,
    memory_mib: u32,
    memory_peak_mib: u64,
    init_ms: Option<f64>,
    answered: Instant,
    probe: InvocationProbe,
    at_ms: i64,
}

impl State {
    /// What the log says of extensions once the start is over, or has failed.
    pub(in crate::environment) fn say_extensions(&mut self) {
        let Some(extended) = self.extended.as_deref() else { return };
        let now_ms = clock::now_ms();
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

    /// Whether extensions still work on the invocation that ends. What the platform ends is over for them, too.
    pub(in crate::environment) fn is_reported_later(&self, status: &Status) -> bool {
        *status == Status::Ended && self.extended.as_deref().is_some_and(Extended::is_busy)
    }

    /// Remembers an invocation's duration, what is paid for, the start's duration (ms) and the peak of memory (MiB).
    pub(in crate::environment) fn report_later(
        &mut self,
        pool: &Pool,
        job: &Job,
        answered: Instant,
        (duration_ms, paid_ms, init_ms, memory_peak_mib): (f64, f64, Option<f64>, u64),
    ) {
        let Some(extended) = self.extended.as_deref_mut() else { return };
        extended.unreported = Some(Unreported {
            request_id: job.invocation.request_id.clone(),
            duration_ms,
            paid_ms,
            memory_mib: pool.memory_mib(),
            memory_peak_mib,
            init_ms,
            answered,
            probe: job.target.probe.clone(),
            at_ms: job.invocation.at_ms,
        });
    }

    /// `REPORT` of an invocation that extensions have worked on until now.
    pub(in crate::environment) fn report_invocation(&mut self, pool: &Pool) {
        let Some(extended) = self.extended.as_deref_mut() else { return };
        let Some(unreported) = extended.unreported.take() else { return };
        let is_timeout = extended.reason == Some(Reason::Timeout);
        let extensions_ms = ms(unreported.answered.elapsed());
        let request_id = unreported.request_id.as_str();
        let now_ms = clock::now_ms();
        self.output.catch_up(now_ms);
        if is_timeout {
            let words = lines::timed_out(now_ms, request_id, pool.timeout_s());
            self.output.say(now_ms, &Line::Words { request_id, words: &words });
        }
        let report = Report {
            request_id,
            duration_ms: unreported.duration_ms,
            billed_ms: (unreported.paid_ms + extensions_ms).ceil() as u64,
            memory_mib: unreported.memory_mib,
            memory_peak_mib: unreported.memory_peak_mib,
            init_ms: unreported.init_ms,
            status: if is_timeout { &Status::Timeout } else { &Status::Ended },
        };
        self.output.say(now_ms, &Line::Report(report));
        unreported.probe.extended(unreported.at_ms, extensions_ms);
    }
}
