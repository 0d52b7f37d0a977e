//! What is due in an environment, and when the next thing will be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::start::StartFault;
use super::{Environment, State};
use crate::fault::Fault;
use crate::timekeeper;

/// A start that takes longer than this doesn't keep others from starting.
const YOUNG: Duration = Duration::from_millis(50);
/// An idle environment that was just being given an invocation is looked at again after this.
const AGAIN: Duration = Duration::from_millis(10);

/// After an answer: the rest of the time in which the runtime must ask for more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub started: Instant,
    pub deadline: Instant,
}

/// What the supervisor is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Kill,
    LookAgain(Instant),
}

impl Environment {
    /// Does what is due.
    ///
    /// Invocations come and go without telling the supervisor, which would cost each of them a change of tasks. It
    /// suffices that it looks at least twice within the function's time limit: an invocation that begins after a look has half
    /// its time left at the next one.
    pub(super) fn check(self: &Arc<Self>, now: Instant) -> Check {
        let mut state = self.lock();
        match self.due(&mut state, now) {
            Check::Kill => {
                state.thaw();
                self.wind_down(&mut state, now)
            }
            later => later,
        }
    }

    fn due(self: &Arc<Self>, state: &mut State, now: Instant) -> Check {
        if let Some(check) = self.runtime_is_gone(state, now) {
            return check;
        }
        if state.is_over || state.start.fault.is_some() {
            return Check::Kill;
        }
        if let Some(deadline) = state.running.as_ref().map(|running| running.deadline) {
            if now < deadline {
                self.remind(state, deadline, now);
                return Check::LookAgain(
                    state.release_launch(now).unwrap_or(deadline).min(self.soon(deadline, now)),
                );
            }
            self.time_out(state);
            return Check::Kill;
        }
        if !state.is_ready {
            return self.check_start(state, now);
        }
        match state.rest {
            Some(rest) if now >= rest.deadline => {
                // Its caller has the answer; what it does besides has no time left.
                (state.is_over, state.is_reset) = (true, true);
                state.note_timeout();
                Check::Kill
            }
            Some(rest) => {
                self.remind(state, rest.deadline, now);
                Check::LookAgain(self.soon(rest.deadline, now))
            }
            None => self.check_idle(state, now),
        }
    }

    /// Ends what the process is doing, and the process, if its time is over. With extensions there is more to do than to kill.
    pub(crate) fn end_if_overdue(self: &Arc<Self>, now: Instant) {
        let mut state = self.lock();
        let (running, rest) = (state.running.as_ref(), state.rest);
        let deadline = running.map(|running| running.deadline).or(rest.map(|rest| rest.deadline));
        let is_overdue = deadline.is_some_and(|deadline| deadline <= now);
        if is_overdue && !state.is_over && state.extended.is_none() {
            // First, and with the state in hand: what is said afterwards takes its time, and what is killed says no more.
            if let Some(process) = &state.process {
                process.kill_runaway();
            }
            self.due(&mut state, now);
        }
        drop(state);
        if is_overdue {
            self.control.notify_one();
        }
    }

    /// Tells the timekeeper of the deadline of what runs, once it is near.
    fn remind(self: &Arc<Self>, state: &mut State, deadline: Instant, now: Instant) {
        if state.reminded != Some(deadline) && deadline - now <= timekeeper::AHEAD_MAX {
            state.reminded = Some(deadline);
            self.pool.parts.timekeeper.remind(deadline, Arc::downgrade(self));
        }
    }

    /// No later than it takes to notice in time that it has become idle.
    fn soon(&self, deadline: Instant, now: Instant) -> Instant {
        deadline.min(now + self.pool.idle().min(self.pool.parts.limits.freeze_after))
    }

    fn check_start(&self, state: &mut State, now: Instant) -> Check {
        let deadline = state.start.deadline;
        if now >= deadline {
            state.start.fault = Some(StartFault::Timeout);
            return Check::Kill;
        }
        Check::LookAgain(state.release_launch(now).unwrap_or(deadline).min(deadline))
    }

    fn check_idle(self: &Arc<Self>, state: &mut State, now: Instant) -> Check {
        match (self.check_end(state, now), self.check_freeze(state, now)) {
            (Check::LookAgain(end), Some(freeze)) => Check::LookAgain(end.min(freeze)),
            (end, _) => end,
        }
    }

    /// Freezes it once it has been idle for long enough; until then, when that will be.
    fn check_freeze(&self, state: &mut State, now: Instant) -> Option<Instant> {
        let patience = self.pool.parts.limits.freeze_after;
        let due = state.idle_since + patience;
        if now < due {
            return Some(due);
        }
        // Who is sent telemetry takes it before, or would be sent it again and again while nobody reads.
        if state.output.relay.as_ref().is_some_and(|relay| !relay.is_quiet()) {
            return Some(now + patience);
        }
        if state.is_listed && !state.is_over && !state.is_frozen {
            state.freeze();
        }
        None
    }

    fn check_end(self: &Arc<Self>, state: &mut State, now: Instant) -> Check {
        if self.is_provisioned && self.pool.keeps_provisioned() && !self.is_old(now) {
            return Check::LookAgain(now + self.pool.idle().min(self.pool.timeout() / 2));
        }
        let due = state.idle_since + self.pool.idle();
        if now < due && !self.is_old(now) {
            return Check::LookAgain(due.min(now + self.pool.timeout() / 2));
        }
        if !self.pool.unlist(self) {
            return Check::LookAgain(now + AGAIN);
        }
        (state.is_listed, state.is_over) = (false, true);
        Check::Kill
    }

    fn time_out(&self, state: &mut State) {
        state.note_timeout();
        if state.is_ready {
            let running = state.running.as_ref().expect("it was there just now");
            let fault = Fault::timeout(&running.job.invocation.request_id, self.pool.timeout_s());
            state.conclude(&self.pool, Err(fault));
        } else {
            // The start that was to be part of the invocation; `ended` concludes.
            state.start.fault = Some(StartFault::Timeout);
        }
        (state.is_over, state.is_reset) = (true, true);
    }
}

impl State {
    /// Lets others start once this start isn't young any more; until then, when that will be.
    fn release_launch(&mut self, now: Instant) -> Option<Instant> {
        self.launch.as_ref()?;
        let due = self.start.began + YOUNG;
        if now < due {
            return Some(due);
        }
        self.launch = None;
        None
    }
}
