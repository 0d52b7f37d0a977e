//! A version's environments, and the invocations that wait for one.

mod idle;
mod provision;
pub(crate) mod scale;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;
use pitbird_names::VersionId;
use pitbird_records::FunctionVersion;
use pitbird_trace::Reservoir;
use tokio::sync::oneshot;

use crate::clock;
use crate::concurrency::{FunctionCounter, Permit, Throttle};
use crate::environment::{self, Environment};
use crate::invocation::{Invocation, Outcome, Refused};
use crate::measure::InvocationProbe;
use crate::parts::Parts;
use crate::rate::Pace;
use crate::stream::Sink;
use crate::trace::Traced;

use idle::Idle;
use provision::Provision;
pub use provision::Provisioned;
pub(crate) use provision::{AtWork, Busy};
use scale::{Load, Usual};

/// In which a function may start [`Limits::scaling`](crate::Limits::scaling) environments.
const SCALING_PERIOD_MS: u64 = 10_000;

/// How a function was called, resolved once: what its invocations have in common.
#[derive(Debug)]
pub(crate) struct Target {
    /// `Lambda-Runtime-Invoked-Function-Arn`.
    pub arn: HeaderValue,
    pub probe: InvocationProbe,
}

/// An invocation on its way.
#[derive(Debug)]
pub(crate) struct Job {
    pub invocation: Invocation,
    pub target: Arc<Target>,
    pub permit: Permit,
    pub reply: oneshot::Sender<Result<Outcome, Refused>>,
    /// Where the answer goes as it comes, if its caller takes it so.
    pub sink: Option<Sink>,
    /// Since when it has waited for an environment, if it has; those that were put back have gone on waiting.
    pub since: Option<Instant>,
    /// Where its trace is recorded.
    pub traced: Option<Box<Traced>>,
}

/// The environments of a function's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    pub function: String,
    pub version: VersionId,
    /// Those that have been initialised, at work or idle.
    pub ready: usize,
    pub idle: usize,
    pub starting: usize,
}

/// What an environment gets when it is free.
#[derive(Debug)]
pub(crate) enum NextJob {
    Job(Box<Job>),
    /// Nothing to do; it is on the list of idle ones.
    Listed,
    /// There will be nothing to do any more.
    Closed,
}

#[derive(Debug)]
pub(crate) struct Pool {
    pub parts: Arc<Parts>,
    pub record: FunctionVersion,
    pub counter: Arc<FunctionCounter>,
    /// Which traces that nobody has decided about an active function records.
    pub reservoir: Reservoir,
    /// Environments that have answered and not asked for more yet.
    resting: AtomicUsize,
    /// How many are to be kept ready; as under the lock, for those who only look.
    provisioned: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: Idle,
    waiting: VecDeque<(Instant, Box<Job>)>,
    launching: usize,
    ready: usize,
    service_ms: Usual,
    unhindered_ms: Usual,
    launch_ms: Usual,
    is_patrolled: bool,
    is_closed: bool,
    provision: Provision,
}

impl Pool {
    pub fn new(parts: Arc<Parts>, record: FunctionVersion, counter: Arc<FunctionCounter>) -> Arc<Pool> {
        let (resting, provisioned) = (AtomicUsize::new(0), AtomicU32::new(0));
        let state = Mutex::default();
        let pool = Arc::new(Pool {
            parts,
            record,
            counter,
            reservoir: Reservoir::default(),
            resting,
            provisioned,
            state,
        });
        pool.parts.enlist(&pool);
        pool
    }

    /// Gives an invocation to an idle environment, or lets it wait for the first that is free or new.
    pub fn submit(self: &Arc<Self>, mut job: Box<Job>) {
        loop {
            let mut state = self.lock();
            if state.is_closed {
                drop(state);
                return job.refuse(Refused::ShuttingDown);
            }
            let idle = if state.waiting.is_empty() { state.idle.pop() } else { None };
            let Some(environment) = idle else {
                let since = *job.since.get_or_insert_with(Instant::now);
                state.waiting.push_back((since, job));
                return self.scale(state);
            };
            drop(state);
            match environment.assign(job) {
                Ok(()) => return,
                Err(back) => job = back,
            }
        }
    }

    /// Takes back an invocation that nobody has seen.
    pub fn put_back(self: &Arc<Self>, mut job: Box<Job>) {
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            return job.refuse(Refused::ShuttingDown);
        }
        // The first time it counts from here on.
        let since = *job.since.get_or_insert_with(Instant::now);
        state.waiting.push_front((since, job));
        self.scale(state);
    }

    /// What an environment that is free `now` does next; `service_ms` is how long its last invocation kept it busy.
    pub fn next_job(&self, environment: &Arc<Environment>, service_ms: Option<f64>, now: Instant) -> NextJob {
        let mut state = self.lock();
        if let Some(service_ms) = service_ms {
            state.service_ms.take(service_ms);
            // While all CPUs are taken, only the luckiest tell how long it takes with one.
            let busy = state.ready.saturating_sub(state.idle.len());
            match busy <= self.parts.cpus {
                true => state.unhindered_ms.take(service_ms),
                false => state.unhindered_ms.take_least(service_ms),
            }
        }
        // Of one that is too old, another takes the place.
        if state.is_closed || environment.is_old(now) {
            return NextJob::Closed;
        }
        match state.waiting.pop_front() {
            Some((_, job)) => NextJob::Job(job),
            None if environment.is_provisioned() && state.provision.is_more_than_wanted() => NextJob::Closed,
            None => {
                state.idle.push(environment.clone());
                NextJob::Listed
            }
        }
    }

    /// An environment has answered.
    pub fn rests(&self) {
        self.resting.fetch_add(1, Ordering::Relaxed);
    }

    /// An environment that had answered asks for more, or is gone.
    pub fn rested(&self) {
        self.resting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes an environment off the list; `false` if it isn't on it.
    pub fn unlist(&self, environment: &Arc<Environment>) -> bool {
        self.lock().idle.remove(environment)
    }

    /// An environment's process has started; `was_counted` among those that are being started, or not.
    pub fn started(&self, launch_ms: f64, was_counted: bool) {
        let mut state = self.lock();
        state.launching = state.launching.saturating_sub(usize::from(was_counted));
        state.ready += 1;
        state.launch_ms.take(launch_ms);
    }

    /// An environment that had started is gone.
    pub fn gone(self: &Arc<Self>, environment: &Arc<Environment>) {
        self.unlist(environment);
        let mut state = self.lock();
        state.ready = state.ready.saturating_sub(1);
        self.scale(state);
    }

    /// The process of an environment that had started has failed.
    pub fn failed(&self) {
        let mut state = self.lock();
        state.ready = state.ready.saturating_sub(1);
    }

    /// An environment's first start has failed: the invocation, if one waits, in which it is tried again.
    pub fn job_for_retry(&self) -> Option<Box<Job>> {
        let mut state = self.lock();
        state.launching = state.launching.saturating_sub(1);
        state.waiting.pop_front().map(|(_, job)| job)
    }

    /// An environment couldn't be made: one of those that wait is told.
    pub fn refuse_one(self: &Arc<Self>, refused: Refused) {
        if let Some(job) = self.job_for_retry() {
            job.refuse(refused);
        }
        self.rescale();
    }

    /// Looks whether more environments are wanted.
    pub fn rescale(self: &Arc<Self>) {
        self.scale(self.lock());
    }

    /// Is an environment whose turn to start has come still wanted? If not it isn't counted any more.
    pub fn is_still_wanted(&self) -> bool {
        let mut state = self.lock();
        state.launching = state.launching.saturating_sub(1);
        let is_wanted = !state.is_closed
            && self.load(&state).launches_wanted() > 0
            && self.counter.scaled.take(self.scaling(), clock::now_ms());
        state.launching += usize::from(is_wanted);
        is_wanted
    }

    /// A place for one more environment couldn't be had for now; the patrol tries again.
    pub fn give_up_launch(&self) {
        self.counter.scaled.give_back(self.scaling());
        let mut state = self.lock();
        state.launching = state.launching.saturating_sub(1);
    }

    /// What there is of it at this moment.
    pub fn alive(&self) -> Alive {
        let state = self.lock();
        Alive {
            function: self.record.name.clone(),
            version: self.record.version,
            ready: state.ready,
            idle: state.idle.len(),
            starting: state.launching,
        }
    }

    /// When the longest idle environment was last used, if one is idle.
    pub fn oldest_idle(&self) -> Option<Instant> {
        // Environments ask the pool while they hold their own state, so never the other way round.
        let oldest = self.lock().idle.oldest().cloned();
        oldest.map(|environment| environment.idle_since())
    }

    /// Ends the environment that has been idle longest.
    pub fn end_oldest_idle(&self) -> bool {
        let oldest = self.lock().idle.take_oldest();
        oldest.as_ref().inspect(|environment| environment.close()).is_some()
    }

    /// Ends idle environments at once and busy ones after their invocation. Invocations that wait are refused.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let (idle, waiting) = (state.idle.take_all(), std::mem::take(&mut state.waiting));
        drop(state);
        idle.iter().for_each(|environment| environment.close());
        waiting.into_iter().for_each(|(_, job)| job.refuse(Refused::ShuttingDown));
    }

    pub fn version(&self) -> VersionId {
        self.record.version
    }

    pub fn timeout_s(&self) -> u32 {
        self.record.settings.timeout_s
    }

    pub fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_s()))
    }

    pub fn memory_mib(&self) -> u32 {
        self.record.settings.memory_mib
    }

    pub fn idle(&self) -> Duration {
        self.parts.limits.idle
    }

    /// How fast a function may get more environments. Source: Lambda developer guide, "Lambda scaling behavior".
    fn scaling(&self) -> Pace {
        Pace::new(self.parts.limits.scaling.into(), SCALING_PERIOD_MS)
    }

    /// Starts as many environments as the load asks for, and sees to it that nobody waits unnoticed.
    fn scale(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.waiting.is_empty() || state.is_closed {
            return;
        }
        let count = self.load(&state).launches_wanted();
        // What is being started hasn't taken its token yet; one too many finds none when its turn comes.
        let count = match count {
            0 => 0,
            _ => count.min(self.counter.scaled.left(self.scaling(), clock::now_ms()) as usize),
        };
        state.launching += count;
        let patience = (!state.is_patrolled).then(|| self.load(&state).patience_ms());
        state.is_patrolled = true;
        drop(state);
        for _ in 0..count {
            self.parts.tasks.spawn(environment::supervise(self.clone()));
        }
        if let Some(patience_ms) = patience {
            tokio::spawn(patrol(Arc::downgrade(self), patience_ms));
        }
    }

    /// Looks at those that wait. Answers when to look again, if any still do.
    fn look(self: &Arc<Self>) -> Option<f64> {
        let mut state = self.lock();
        let now = Instant::now();
        let longest = self.parts.limits.wait;
        let mut overdue = Vec::new();
        while state.waiting.front().is_some_and(|(since, _)| now - *since >= longest) {
            overdue.extend(state.waiting.pop_front());
        }
        let again = (!state.waiting.is_empty() && !state.is_closed).then(|| self.load(&state).patience_ms());
        state.is_patrolled = again.is_some();
        self.scale(state);
        for (_, job) in overdue {
            job.target.probe.throttled(job.invocation.at_ms);
            job.refuse(Refused::Throttled(Throttle::ConcurrentInvocationLimitExceeded));
        }
        again
    }

    fn load(&self, state: &State) -> Load {
        let waited = state.waiting.front().map_or(Duration::ZERO, |(since, _)| since.elapsed());
        Load {
            waiting: state.waiting.len(),
            waited_ms: waited.as_secs_f64() * 1000.0,
            launching: state.launching,
            resting: self.resting.load(Ordering::Relaxed),
            ready: state.ready,
            service_ms: state.service_ms.get(),
            unhindered_ms: state.unhindered_ms.get(),
            launch_ms: state.launch_ms.get(),
            cpus: self.parts.cpus,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at a pool as long as somebody waits there.
async fn patrol(pool: Weak<Pool>, mut patience_ms: f64) {
    loop {
        tokio::time::sleep(Duration::from_secs_f64(patience_ms / 1000.0)).await;
        let Some(pool) = pool.upgrade() else { return };
        match pool.look() {
            Some(again_ms) => patience_ms = again_ms,
            None => return,
        }
    }
}

impl Job {
    /// Tells the caller why it doesn't run.
    pub fn refuse(self, refused: Refused) {
        drop(self.permit);
        // A caller that doesn't wait any more needs no refusal.
        let _ = self.reply.send(Err(refused));
    }
}
