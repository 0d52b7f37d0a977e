//! The end of an invocation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pitbird_sandbox::{Exit, Tmp};

use super::deadlines::Rest;
use super::start::StartFault;
use super::{Environment, Peak, Running, State, ms};
use crate::clock;
use crate::fault::{Ending, Fault, Status, UNHANDLED};
use crate::invocation::{Billed, Outcome};
use crate::lines::{self, Line, Report};
use crate::measure::Went;
use crate::pool::{Job, Pool};
use crate::trace::{Told, Traced};

/// If `/tmp` held this part of the memory that ran out, or more, that is said.
const TMP_PART_TOLD: u64 = 4;
/// The peak of memory is read from the control group at most this often, but for the first and the last time.
const PEAK_READ_EVERY: Duration = Duration::from_millis(50);

impl State {
    /// Ends the invocation that runs: logs, measures, tells the caller.
    pub(super) fn conclude(&mut self, pool: &Pool, result: Result<Bytes, Fault>) {
        let now_ms = clock::now_ms();
        self.tell_start(pool, now_ms);
        let running = self.running.take().expect("only what runs is concluded");
        let ended = Instant::now();
        let ended_well = Status::Ended;
        let status = result.as_ref().err().map_or(&ended_well, |fault| &fault.status);
        let duration_ms = match status {
            // Whenever it was noticed.
            Status::Timeout => f64::from(pool.timeout_s()) * 1000.0,
            _ => ms(ended - running.started),
        };
        let init_ms = self.init_ms.take();
        // What is kept ready is paid for by the hour, its start with it.
        let billed_init_ms = init_ms.filter(|_| !self.is_provisioned).unwrap_or(0.0);
        let paid_ms = duration_ms + billed_init_ms;
        let billed_ms = paid_ms.ceil() as u64;
        let billed =
            Billed { mib_ms: billed_ms * u64::from(pool.memory_mib()), is_provisioned: self.is_provisioned };
        let memory_peak_mib = self.peak_bytes(ended).div_ceil(1 << 20);
        let request_id = running.job.invocation.request_id.as_str();
        let whole_bytes = result.as_ref().map_or_else(|fault| fault.body.len(), Bytes::len);
        let produced_bytes = running.streamed_bytes.unwrap_or(whole_bytes);
        self.log_end(
            (pool, now_ms),
            result.as_ref().err(),
            produced_bytes,
            Report {
                request_id,
                duration_ms,
                billed_ms,
                memory_mib: pool.memory_mib(),
                memory_peak_mib,
                init_ms,
                status,
                trace: running.job.traced.as_ref().and(running.job.invocation.trace_id.as_deref()),
                segment: running.job.traced.as_deref().map(Traced::segment),
            },
        );
        let Running { job, started, deadline, .. } = running;
        if self.extended.is_some() {
            let measured = (duration_ms, paid_ms, init_ms, memory_peak_mib, produced_bytes);
            self.report_later(pool, &job, (started, ended), status.clone(), measured);
            if *status != Status::Ended {
                // It is over for the extensions, too.
                self.report_invocation(pool);
            }
        }
        // What extensions go on doing is paid for as well: then it is known later.
        let known = self.extended.is_none().then_some(billed);
        let on_provisioned = (pool.provisioned_wanted() > 0).then_some(self.is_provisioned);
        job.target.probe.ended(job.invocation.at_ms, duration_ms, result.is_err(), on_provisioned, known);
        if let Some(traced) = &job.traced {
            let error_type = result.as_ref().err().map(|fault| fault.error_type.as_str());
            self.record_trace(pool, traced, &job, (ended, init_ms, error_type));
        }
        let environment = self.number;
        job.target.probe.tried(Went {
            latency_us: (ended - started).as_micros() as u64,
            is_cold: billed_init_ms > 0.0,
            is_error: result.is_err(),
            environment,
        });
        let (payload, function_error, error_type) = match result {
            Ok(payload) => (payload, None, None),
            Err(fault) => (fault.body, Some(UNHANDLED), Some(fault.error_type)),
        };
        let (executed_version, log_tail) = (pool.version(), self.output.end_tail());
        self.rest = Some(Rest { started, deadline });
        pool.rests();
        // First the place, then the answer: who has it may call again at once.
        drop(job.permit);
        let outcome = Outcome {
            payload,
            function_error,
            error_type,
            executed_version,
            log_tail,
            duration_ms,
            billed_ms,
            billed,
            init_ms,
            environment,
        };
        // A caller that doesn't wait any more has no use for it.
        let _ = job.reply.send(Ok(outcome));
    }

    /// When it ended, how long its environment's start took if that was part of it (ms), and what went wrong.
    fn record_trace(
        &self,
        pool: &Pool,
        traced: &Traced,
        job: &Job,
        (ended, init_ms, error_type): (Instant, Option<f64>, Option<&str>),
    ) {
        // What is kept ready was started long before, for nobody in particular.
        let init_ms = init_ms.filter(|_| !self.is_provisioned);
        let init = init_ms.map(|took_ms| (self.start.began, Duration::from_secs_f64(took_ms / 1000.0)));
        let told = Told { ended, init, environment: self.output.stream(), error_type };
        traced.record(&pool.parts.tracer, pool, job, &told);
    }

    /// The time after an answer is over.
    pub(super) fn end_rest(&mut self, pool: &Pool) -> Option<Rest> {
        let rest = self.rest.take()?;
        pool.rested();
        self.report_invocation(pool);
        Some(rest)
    }

    fn log_end(
        &mut self,
        (pool, now_ms): (&Pool, i64),
        fault: Option<&Fault>,
        produced_bytes: usize,
        report: Report<'_>,
    ) {
        let Report { request_id, duration_ms, status, .. } = report;
        let words = match fault {
            Some(Fault { status: Status::Timeout, .. }) => {
                Some(lines::timed_out(now_ms, request_id, pool.timeout_s()))
            }
            Some(Fault { words: Some(words), .. }) => Some(words.clone()),
            _ => None,
        };
        self.output.catch_up(now_ms);
        if let Some(words) = &words {
            self.output.say(now_ms, &Line::Words { request_id, words });
        }
        let (trace, spans) = (None, &[][..]);
        self.output.log(now_ms, &Line::End { request_id, duration_ms, produced_bytes, status, trace, spans });
        if self.extended.is_none() {
            self.output.log(now_ms, &Line::Report(report));
        }
    }

    /// Memory has run out. On Lambda `/tmp` takes none of it; who is missing what it took here is told.
    fn say_what_tmp_held(&mut self, pool: &Pool) {
        let used_mib = self.tmp.as_ref().map_or(0, Tmp::used_bytes) >> 20;
        let memory_mib = u64::from(pool.memory_mib());
        if used_mib < memory_mib / TMP_PART_TOLD {
            return;
        }
        let function = &pool.record.name;
        tracing::warn!(
            function,
            used_mib,
            memory_mib,
            "a function ran out of memory, of which /tmp held much"
        );
        let words =
            format!("pitbird: /tmp counts as memory here; {used_mib} of the {memory_mib} MB lay in it\n");
        let request_id = self.running.as_ref().map(|running| running.job.invocation.request_id.clone());
        let request_id = request_id.as_deref().unwrap_or_default();
        self.output.say(clock::now_ms(), &Line::Words { request_id, words: &words });
    }

    fn peak_bytes(&mut self, now: Instant) -> u64 {
        let is_recent = self.peak.read.is_some_and(|read| now - read < PEAK_READ_EVERY);
        if let (Some(process), false) = (&self.process, is_recent) {
            let bytes = process.memory_peak_bytes().max(self.peak.bytes);
            self.peak = Peak { bytes, read: Some(now) };
        }
        self.peak.bytes
    }
}

/// How far a process came.
#[derive(Debug)]
pub(super) enum Came {
    /// It asked for an invocation.
    Started,
    /// It ended, or was ended, before.
    NotStarted(StartFault),
}

impl Environment {
    /// The process is gone.
    pub(super) fn ended(self: &Arc<Self>, exit: Exit) -> Came {
        let Exit { code, signal, out_of_memory } = exit;
        let ending = Ending { code, signal, out_of_memory };
        let mut state = self.lock();
        state.is_over = true;
        state.launch = None;
        state.output.drain_last(clock::now_ms());
        state.peak.read = None;
        if out_of_memory {
            state.say_what_tmp_held(&self.pool);
        }
        if !state.is_ready {
            let fault = state.start.fault.take().unwrap_or(StartFault::Exit(ending));
            if let Some(running) = &state.running {
                let fault_of_it = fault.fault(&running.job.invocation.request_id, self.pool.timeout_s());
                state.report_start(true, &fault);
                state.conclude(&self.pool, Err(fault_of_it));
                state.end_rest(&self.pool);
                return Came::Started;
            }
            return Came::NotStarted(fault);
        }
        match &state.running {
            Some(running) if !running.is_announced => {
                // Nobody has seen it; another environment may have it.
                let job = state.running.take().expect("it is there").job;
                drop(state);
                self.pool.put_back(job);
            }
            Some(running) => {
                let fault = Fault::exit(&running.job.invocation.request_id, ending);
                state.conclude(&self.pool, Err(fault));
                state.end_rest(&self.pool);
            }
            None => {
                state.end_rest(&self.pool);
            }
        }
        Came::Started
    }
}
