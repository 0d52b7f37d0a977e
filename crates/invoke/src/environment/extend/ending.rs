//! The end of an environment with extensions: who ended first, what that means, and the time that the others have.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pitbird_sandbox::{Exit, ProgramEnd};

use super::super::deadlines::Check;
use super::super::start::StartFault;
use super::super::supervise::words;
use super::super::{Environment, State};
use crate::clock;
use crate::extensions::wind_down::{Reason, Step, WindDown};
use crate::fault::{Ending, Fault};
use crate::lines::Line;

/// What a runtime had said before its end is heard within this time.
const LAST_WORDS_MAX: Duration = Duration::from_millis(100);

impl Environment {
    /// One of several processes has ended, or couldn't be started.
    pub(in crate::environment) fn program_ended(self: &Arc<Self>, end: ProgramEnd) {
        let mut state = self.lock();
        let now = Instant::now();
        let (is_ready, has_invocation) = (state.is_ready, state.running.is_some());
        let Some(extended) = state.extended.as_deref_mut() else { return };
        let Some(place) = end.program.checked_sub(1) else {
            let fault = match &end.how {
                Ok(exit) => StartFault::Exit(ending(*exit)),
                Err(error) => {
                    StartFault::Unstartable { program: extended.program.clone(), why: words(error) }
                }
            };
            extended.runtime_ended = Some((now, end.how.map_or(Ending::default(), ending)));
            if extended.wind_down.is_none() {
                extended.reason = extended.reason.or(Some(Reason::Failure));
                if !is_ready {
                    state.start.fault.get_or_insert(fault);
                } else if !has_invocation {
                    (state.is_over, state.is_reset) = (true, true);
                }
            }
            return;
        };
        if extended.machine.ended(place, end.how.is_ok()) || extended.wind_down.is_some() {
            return;
        }
        let name = extended.machine.all().get(place).map(|extension| extension.name.clone());
        let name = name.unwrap_or_default();
        match end.how {
            Ok(exit) => self.fail(&mut state, "Extension.Crash", &ending(exit).extensions_words()),
            Err(error) => {
                let why = format!("fork/exec /opt/extensions/{name}: {}", words(&error));
                self.fail(&mut state, "Extension.LaunchError", &why);
            }
        }
    }

    /// An extension fails, and its environment with it.
    pub(super) fn fail(self: &Arc<Self>, state: &mut State, error_type: &'static str, why: &str) {
        if let Some(extended) = state.extended.as_deref_mut() {
            extended.reason = extended.reason.or(Some(Reason::Failure));
        }
        if !state.is_ready {
            state.start.fault.get_or_insert(StartFault::Extension { error_type, why: why.to_owned() });
            return;
        }
        (state.is_over, state.is_reset) = (true, true);
        match &state.running {
            Some(running) if running.is_announced => {
                let fault = Fault::extension(error_type, &running.job.invocation.request_id, why);
                state.conclude(&self.pool, Err(fault));
            }
            Some(_) => self.put_back(state),
            None => {
                let now_ms = clock::now_ms();
                state.output.catch_up(now_ms);
                let words = format!("Error: {why}\n{error_type}\n");
                state.output.say(now_ms, &Line::Words { request_id: "", words: &words });
            }
        }
    }

    /// Nobody has seen the invocation; another environment may have it.
    fn put_back(&self, state: &mut State) {
        let running = state.running.take().expect("it is there");
        self.pool.put_back(running.job);
    }

    /// A runtime that has ended beside extensions that live: whether what it said last is still being heard, and until when.
    pub(in crate::environment) fn runtime_is_gone(&self, state: &mut State, now: Instant) -> Option<Check> {
        let (ended, ending) = state.extended.as_deref()?.runtime_ended?;
        if !state.is_ready || state.is_over {
            return None;
        }
        match &state.running {
            Some(running) if running.is_announced => {
                let due = ended + LAST_WORDS_MAX;
                if now < due {
                    return Some(Check::LookAgain(due.min(running.deadline.max(now))));
                }
                let fault = Fault::exit(&running.job.invocation.request_id, ending);
                state.conclude(&self.pool, Err(fault));
            }
            Some(_) => self.put_back(state),
            None => {}
        }
        (state.is_over, state.is_reset) = (true, true);
        None
    }

    /// The environment ends: with extensions not at once.
    pub(in crate::environment) fn wind_down(self: &Arc<Self>, state: &mut State, now: Instant) -> Check {
        if state.extended.is_none() {
            return Check::Kill;
        }
        self.leave(state);
        state.end_rest(&self.pool);
        let is_timeout = matches!(state.start.fault, Some(StartFault::Timeout));
        let is_fault = state.start.fault.is_some();
        let State { extended: Some(extended), process, output, .. } = state else { return Check::Kill };
        if extended.reason.is_none() && is_fault {
            extended.reason = Some(if is_timeout { Reason::Timeout } else { Reason::Failure });
        }
        if extended.wind_down.is_none()
            && let Some(relay) = &output.relay
        {
            relay.flush();
        }
        let has_external = extended.machine.has_external();
        extended.wind_down.get_or_insert_with(|| WindDown::new(now, has_external));
        loop {
            let is_runtime_gone = extended.is_runtime_due || extended.runtime_ended.is_some();
            let are_gone = extended.machine.are_gone();
            let wind_down = extended.wind_down.as_mut().expect("it was put there");
            match wind_down.next(now, is_runtime_gone, are_gone) {
                Step::AskRuntime => process.iter().for_each(|process| process.terminate_program()),
                Step::KillRuntime => process.iter().for_each(|process| process.kill_program()),
                Step::TellExtensions => {
                    let until = wind_down.until;
                    output.drain_function(clock::now_ms());
                    extended.tell_of_end(until, now);
                }
                Step::Wait(until) => return Check::LookAgain(until),
                Step::End => return Check::Kill,
            }
        }
    }

    /// The pool is to count on it no more, long before it is gone.
    fn leave(self: &Arc<Self>, state: &mut State) {
        let Some(extended) = state.extended.as_deref_mut() else { return };
        if state.is_ready && !std::mem::replace(&mut extended.has_left, true) {
            state.is_listed = false;
            self.pool.gone(self);
        }
    }

    /// Is there somebody whom the pool still counts among those that have started?
    pub(in crate::environment) fn is_counted(&self) -> bool {
        let state = self.lock();
        state.is_ready && !state.extended.as_deref().is_some_and(|extended| extended.has_left)
    }
}

impl State {
    /// The function's time is over.
    pub(in crate::environment) fn note_timeout(&mut self) {
        if let Some(extended) = self.extended.as_deref_mut() {
            extended.reason = Some(Reason::Timeout);
        }
    }
}

fn ending(exit: Exit) -> Ending {
    let Exit { code, signal, out_of_memory } = exit;
    Ending { code, signal, out_of_memory }
}
