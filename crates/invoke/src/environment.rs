//! One execution environment: a sandboxed process that runs one invocation at a time, and what becomes of it.
//!
//! Three sides meet in its state, each for a moment only: the [`Pool`] that gives it invocations, the calls of its
//! process ([`crate::runtime_api`]), and the task that watches over both ([`supervise`]). None waits for another while it
//! holds the state. Whoever ends an invocation (an answer, the time limit, the process's end) logs, measures and tells
//! its caller, in this order, so that callers find in logs and metrics what they have been told.

mod conclude;
mod deadlines;
mod extend;
mod output;
mod reset;
mod start;
mod supervise;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use pitbird_records::FunctionVersion;
use pitbird_sandbox::{Sandbox, Tmp};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::aws::Aws;
use crate::clock;
use crate::code::Files;
use crate::fault::Fault;
use crate::lines::Line;
use crate::pool::{AtWork, Job, NextJob, Pool};
use crate::runtime_api::machine::{Answer, Machine, Next, Phase, Rejection};
use crate::runtime_api::{Event, trace_of};
use crate::stream::Sink;

use deadlines::Rest;
use extend::Extended;
pub(crate) use extend::Unsubscribed;
use output::Output;
use start::Start;

pub(crate) use supervise::{supervise, supervise_provisioned};

#[derive(Debug)]
pub(crate) struct Environment {
    pool: Arc<Pool>,
    state: Mutex<State>,
    /// Asks the supervisor to look at the state.
    control: Notify,
    /// The name of its log stream.
    stream: String,
    is_provisioned: bool,
    made: Instant,
    /// Bounds what its process asks of AWS at the same time.
    aws_turns: Arc<Semaphore>,
    init_error_turn: Semaphore,
}

/// Requests to AWS that one environment's process may make at the same time; more wait.
const AWS_REQUESTS_MAX: usize = 8;

#[derive(Debug)]
struct State {
    /// For a name that no other environment has.
    number: u64,
    machine: Machine,
    /// It will not take another invocation, and its process has ended or is about to be ended.
    is_over: bool,
    /// Counted by the pool among those that have started.
    is_ready: bool,
    /// Kept ready by the pool.
    is_provisioned: bool,
    /// On the pool's list of idle ones.
    is_listed: bool,
    /// Its process has failed, and it starts again inside its next invocation.
    is_reset: bool,
    /// That invocation, once it has come.
    given: Option<Box<Job>>,
    /// Its processes stand still until there is something to do.
    is_frozen: bool,
    parked: Option<Parked>,
    ticket: u64,
    running: Option<Running>,
    /// An answer was given, and the runtime hasn't asked for more.
    rest: Option<Rest>,
    /// The deadline that the timekeeper was told of last.
    reminded: Option<Instant>,
    idle_since: Instant,
    start: Start,
    /// How long the start took, until it is reported.
    init_ms: Option<f64>,
    output: Output,
    process: Option<Arc<Sandbox>>,
    /// Its `/tmp`, which stays when the process fails.
    tmp: Option<Tmp>,
    /// Held so that code and layers stay where the process sees them.
    files: Option<Files>,
    peak: Peak,
    /// Held while the start is young.
    launch: Option<OwnedSemaphorePermit>,
    /// `None` where nobody has registered as an extension and nobody is expected to.
    extended: Option<Box<Extended>>,
}

/// A call of `next` that waits.
#[derive(Debug)]
struct Parked {
    ticket: u64,
    waker: Option<Waker>,
}

/// The invocation that an environment has.
#[derive(Debug)]
struct Running {
    job: Box<Job>,
    started: Instant,
    deadline: Instant,
    /// When the function's time is over, by the clock, milliseconds since 1970.
    deadline_ms: i64,
    /// Its time runs.
    is_announced: bool,
    /// `START` is in the log.
    is_told: bool,
    /// The process has been given the event.
    is_delivered: bool,
    /// Where the environment is kept ready: from `START` on.
    at_work: Option<AtWork>,
    /// How much of an answer has gone to its caller as it came, once one has begun to.
    streamed_bytes: Option<usize>,
}

/// The most memory that was used, read now and then.
#[derive(Debug, Default)]
struct Peak {
    bytes: u64,
    read: Option<Instant>,
}

impl Environment {
    /// Gives an idle environment an invocation; back it comes if the process isn't there to take it.
    pub fn assign(&self, job: Box<Job>) -> Result<(), Box<Job>> {
        let mut state = self.lock();
        state.is_listed = false;
        if state.is_reset && !state.is_over {
            state.given = Some(job);
            self.control.notify_one();
            return Ok(());
        }
        let is_waiting = !state.is_over && state.machine.phase() == Phase::Idle;
        let Some(parked) = state.parked.as_mut().filter(|_| is_waiting) else { return Err(job) };
        let waker = parked.waker.take();
        state.thaw();
        state.give(job, self.pool.timeout());
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// The process asks for its next invocation, and waits until there is one.
    pub async fn next(self: &Arc<Self>) -> Result<Event, Rejection> {
        let ticket = match self.next_at_once()? {
            Ok(event) => return Ok(event),
            Err(ticket) => ticket,
        };
        let _parked = ParkedCall { environment: self, ticket };
        poll_fn(|context| self.poll_next(ticket, context)).await
    }

    /// The event, if there is one, or the ticket of a call that waits.
    fn next_at_once(self: &Arc<Self>) -> Result<Result<Event, u64>, Rejection> {
        let mut state = self.lock();
        if state.is_over || state.start.fault.is_some() {
            return Err(Rejection::Transition { from: "ResponseSent", to: "Ready" });
        }
        let next = state.machine.next()?;
        if next == Next::Again {
            return Ok(Ok(state.deliver(&self.pool)));
        }
        let is_held = state.extended.is_some() && state.is_held_after(next);
        if !is_held && self.freed(&mut state) {
            return Ok(Ok(state.deliver(&self.pool)));
        }
        state.ticket += 1;
        let ticket = state.ticket;
        let before = state.parked.replace(Parked { ticket, waker: None });
        drop(state);
        // A call that waited before this one is told that its place has been taken.
        before.and_then(|before| before.waker).into_iter().for_each(Waker::wake);
        Ok(Err(ticket))
    }

    /// The start, or an invocation, is over. Answers whether there is an invocation to be delivered.
    fn freed(self: &Arc<Self>, state: &mut State) -> bool {
        if !state.is_ready {
            self.started(state);
        }
        let now = Instant::now();
        let service_ms = state.end_rest(&self.pool).map(|rest| ms(now - rest.started));
        state.idle_since = now;
        if let Some(running) = &state.running {
            // It had one before it started.
            let request_id = running.job.invocation.request_id.clone();
            state.machine.assign(&request_id);
            return true;
        }
        if state.is_listed {
            return false;
        }
        match self.pool.next_job(self, service_ms, now) {
            NextJob::Job(job) => {
                state.give(job, self.pool.timeout());
                return true;
            }
            NextJob::Listed => state.is_listed = true,
            NextJob::Closed => {
                state.is_over = true;
                self.control.notify_one();
            }
        }
        false
    }

    fn poll_next(&self, ticket: u64, context: &mut Context<'_>) -> Poll<Result<Event, Rejection>> {
        let mut state = self.lock();
        let State { machine, parked, running, .. } = &mut *state;
        match parked.as_mut().filter(|parked| parked.ticket == ticket) {
            None => Poll::Ready(Err(Rejection::Transition { from: "Ready", to: "Ready" })),
            // What runs may just have been ended by something else.
            Some(_) if machine.phase() == Phase::Running && running.is_some() => {
                state.parked = None;
                Poll::Ready(Ok(state.deliver(&self.pool)))
            }
            Some(parked) => {
                parked.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The process begins to answer. Its body is handed to what comes back.
    pub fn begin_answer(&self, request_id: &str, answer: Answer) -> Result<Answering<'_>, Rejection> {
        let mut state = self.lock();
        state.machine.begin(request_id, answer)?;
        if let Some(extended) = &mut state.extended {
            extended.answer_begins();
        }
        drop(state);
        Ok(Answering { environment: self, answer })
    }

    /// The process begins to say that it can't start: one call at a time, so that of all that it may send one body is held.
    pub fn begin_init_error(&self) -> Result<SemaphorePermit<'_>, Rejection> {
        self.lock().machine.may_fail()?;
        let busy = Rejection::Transition { from: "InitError", to: "InitError" };
        self.init_error_turn.try_acquire().map_err(|_| busy)
    }

    /// The process says that it can't start.
    pub fn init_error(&self, fault: Fault) -> Result<(), Rejection> {
        let mut state = self.lock();
        state.machine.init_error()?;
        state.start.fault = Some(start::StartFault::Reported(fault));
        self.control.notify_one();
        Ok(())
    }

    /// Ends it, unless it has an invocation: then it ends after that.
    pub fn close(&self) {
        let mut state = self.lock();
        if state.running.is_none() && state.rest.is_none() {
            state.is_over = true;
        }
        self.control.notify_one();
    }

    /// Is it kept ready, whether there is something to do or not?
    pub fn is_provisioned(&self) -> bool {
        self.is_provisioned
    }

    /// Has it lived so long that it shall take no more invocations?
    pub fn is_old(&self, now: Instant) -> bool {
        now - self.made >= self.pool.parts.limits.lifetime
    }

    /// What it runs.
    pub fn function(&self) -> &FunctionVersion {
        &self.pool.record
    }

    /// AWS, for what its process asks of it.
    pub fn aws(&self) -> Option<Arc<dyn Aws>> {
        self.pool.parts.aws()
    }

    /// Waits until its process may ask for one more thing.
    pub async fn aws_turn(&self) -> OwnedSemaphorePermit {
        self.aws_turns.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    fn started(&self, state: &mut State) {
        let launch_ms = ms(state.start.began.elapsed());
        state.launch = None;
        state.is_ready = true;
        self.hold_to_cpu_share(state);
        if !state.start.is_retry {
            state.init_ms = Some(launch_ms);
        }
        self.pool.started(launch_ms, !state.start.is_retry && !self.is_provisioned);
        if self.is_provisioned {
            self.pool.provisioned_started();
        }
        state.tell_started(launch_ms);
        // It planned to look again when the start would be due.
        self.control.notify_one();
    }

    /// Its start is over, for which it had all the CPU there is.
    fn hold_to_cpu_share(&self, state: &State) {
        let share = self.pool.parts.cpu_share(self.pool.record.settings.memory_mib);
        let (Some(share), Some(process)) = (share, &state.process) else { return };
        let held = process.hold_to_cpu_share(share);
        if !matches!(held, Ok(true)) {
            // As a rule because it has just died.
            let function = &self.pool.record.name;
            tracing::warn!(function, ?held, "an environment isn't held to its share of the CPU");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn new(job: Box<Job>, started: Instant, deadline: Instant) -> Running {
        Running {
            job,
            started,
            deadline,
            deadline_ms: 0,
            is_announced: false,
            is_told: false,
            is_delivered: false,
            at_work: None,
            streamed_bytes: None,
        }
    }
}

impl State {
    /// Lets the processes of an environment that has nothing to do stand still. Where that can't be done they go on.
    fn freeze(&mut self) {
        let frozen = self.process.as_ref().map(|process| process.set_frozen(true));
        self.is_frozen = matches!(frozen, Some(Ok(true)));
    }

    fn thaw(&mut self) {
        if std::mem::take(&mut self.is_frozen)
            && let Some(process) = &self.process
        {
            // One that can't be told any more is about to be found dead.
            let _ = process.set_frozen(false);
        }
    }

    fn give(&mut self, job: Box<Job>, timeout: std::time::Duration) {
        self.machine.assign(&job.invocation.request_id);
        let started = Instant::now();
        self.running = Some(Running::new(job, started, started + timeout));
    }

    /// The event of the invocation that runs. The first time it is asked for, the function's time begins.
    fn deliver(&mut self, pool: &Arc<Pool>) -> Event {
        let now_ms = clock::now_ms();
        if self.running.as_ref().is_some_and(|running| !running.is_announced) {
            self.announce(pool, now_ms);
        }
        self.tell_start(pool, now_ms);
        let running = self.running.as_mut().expect("only what runs is delivered");
        running.is_delivered = true;
        if let Some(extended) = &mut self.extended {
            extended.tell_of(running);
        }
        Event::new(&running.job, running.deadline_ms)
    }

    /// The time of the invocation that runs begins.
    fn announce(&mut self, pool: &Arc<Pool>, now_ms: i64) {
        let running = self.running.as_mut().expect("only what runs is announced");
        running.is_announced = true;
        running.started = Instant::now();
        running.deadline = running.started + pool.timeout();
        running.deadline_ms = now_ms + pool.timeout().as_millis() as i64;
        running.at_work = self.is_provisioned.then(|| pool.at_work(now_ms)).flatten();
        if running.job.invocation.wants_log_tail {
            // What was written before the invocation isn't part of its tail.
            self.output.catch_up(now_ms);
            self.output.begin_tail();
        }
    }

    /// `START`, once. Where the process starts again within the invocation it comes after that start, as on Lambda.
    fn tell_start(&mut self, pool: &Pool, now_ms: i64) {
        let is_retry = self.start.is_retry;
        let Some(running) = self.running.as_mut().filter(|running| !running.is_told) else { return };
        running.is_told = true;
        if is_retry {
            self.output.catch_up(now_ms);
        }
        let request_id = running.job.invocation.request_id.as_str();
        let trace = self.extended.is_some().then(|| trace_of(&running.job.invocation));
        let version = pool.version();
        self.output.say(now_ms, &Line::Start { request_id, version, trace: trace.as_deref() });
    }
}

/// A call of `next` that waits; gives up its place when it is dropped, as when the process closes the connection.
struct ParkedCall<'a> {
    environment: &'a Environment,
    ticket: u64,
}

impl Drop for ParkedCall<'_> {
    fn drop(&mut self) {
        let mut state = self.environment.lock();
        if state.parked.as_ref().is_some_and(|parked| parked.ticket == self.ticket) {
            state.parked = None;
        }
    }
}

/// An answer on its way. Dropped before it is finished, the process may answer again.
#[derive(Debug)]
pub(crate) struct Answering<'a> {
    environment: &'a Environment,
    answer: Answer,
}

impl Answering<'_> {
    /// Where the answer goes as it comes, if its caller takes it so and none went there before.
    pub fn sink(&self) -> Option<Sink> {
        let mut state = self.environment.lock();
        let running = state.running.as_mut()?;
        let sink = running.job.sink.take()?;
        running.streamed_bytes = Some(0);
        Some(sink)
    }

    /// The whole body has come, or a fault instead of it.
    pub fn finish(self, result: Result<Bytes, Fault>) -> Result<(), Rejection> {
        self.end(None, result)
    }

    /// So many bytes have gone to the caller; a fault is one that came after them.
    pub fn finish_streamed(self, bytes: usize, fault: Option<Fault>) -> Result<(), Rejection> {
        self.end(Some(bytes), fault.map_or(Ok(Bytes::new()), Err))
    }

    fn end(self, streamed_bytes: Option<usize>, result: Result<Bytes, Fault>) -> Result<(), Rejection> {
        let environment = self.environment;
        let mut state = environment.lock();
        let Some(running) = state.running.as_mut() else {
            // Its time was over before its answer was complete.
            let to = if self.answer == Answer::Response {
                "InvocationResponse"
            } else {
                "InvocationErrorResponse"
            };
            return Err(Rejection::Transition { from: "ResponseSent", to });
        };
        let has_broken_off = running.streamed_bytes.is_some() && streamed_bytes.is_none();
        // Of an answer that broke off its caller has the beginning; another one can't follow.
        let result = match result {
            Ok(_) if has_broken_off => Err(Fault::truncated(&running.job.invocation.request_id)),
            result => result,
        };
        running.streamed_bytes = streamed_bytes.or(running.streamed_bytes);
        state.machine.finish();
        // Once the state is let go of another answer may begin, which this one must not break off.
        std::mem::forget(self);
        state.conclude(&environment.pool, result);
        Ok(())
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.environment.lock().machine.break_off();
    }
}

fn ms(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
