//! An environment whose function has extensions: what their calls do to it, and what it tells them.
//!
//! It is free when its runtime waits and its extensions do, so that a start or an invocation may be over for the runtime and not
//! for the environment. Its end takes time, in which the runtime and the extensions are told.

mod ending;
mod report;
mod subscribe;

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use pitbird_sandbox::{Connector, Spec};
use serde_json::json;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;

use super::output::Drained;
use super::{Environment, Running, State};
use crate::clock;
use crate::extensions::machine::{Happening, Machine, Rejection};
use crate::extensions::serve::event;
use crate::extensions::wind_down::{Reason, WindDown};
use crate::fault::{Ending, Status};
use crate::lines::Line;
use crate::runtime_api::machine::Next;
use crate::runtime_api::{Reply, trace_of};
use crate::telemetry_api::{Relay, Subscriber};

use report::Unreported;
pub(crate) use subscribe::Unsubscribed;

/// What an environment has because of its extensions.
#[derive(Debug)]
pub(super) struct Extended {
    machine: Machine,
    /// Wakes the calls of extensions that wait.
    news: Arc<Notify>,
    /// The program that is the runtime.
    program: String,
    /// The runtime waits for its order to start.
    is_runtime_due: bool,
    runtime_ended: Option<(Instant, Ending)>,
    /// The runtime is done and extensions aren't.
    is_held: bool,
    /// The invocation that they have been told of last, and how.
    told_of: String,
    invoke: Bytes,
    shutdown: Bytes,
    reason: Option<Reason>,
    wind_down: Option<WindDown>,
    /// The pool counts it no more.
    has_left: bool,
    unreported: Option<Unreported>,
    /// When the answer to the invocation at hand began.
    answer_began: Option<Instant>,
    /// Sockets with which subscribers of telemetry may be reached.
    connectors: Vec<Connector>,
    /// Subscribers to whom nobody delivers yet.
    undelivered: Vec<(Arc<Subscriber>, Connector)>,
}

impl Extended {
    /// For what is to be run, if external extensions are among it.
    fn of(spec: &Spec) -> Option<Box<Extended>> {
        let names: Vec<String> = spec.companions.programs.iter().map(|path| file_name(path)).collect();
        (!names.is_empty()).then(|| Box::new(Extended::new(names, spec.program.clone())))
    }

    /// With the names of the external ones, and the runtime's program.
    fn new(external: Vec<String>, program: String) -> Extended {
        let is_runtime_due = !external.is_empty();
        Extended {
            machine: Machine::new(external),
            news: Arc::new(Notify::new()),
            program,
            is_runtime_due,
            runtime_ended: None,
            is_held: false,
            told_of: String::new(),
            invoke: Bytes::new(),
            shutdown: Bytes::new(),
            reason: None,
            wind_down: None,
            has_left: false,
            unreported: None,
            answer_began: None,
            connectors: Vec::new(),
            undelivered: Vec::new(),
        }
    }

    /// The runtime waits. Do the extensions keep the environment from being free?
    fn holds(&mut self, next: Next) -> bool {
        match next {
            Next::Started => self.machine.close(),
            Next::Finished => {}
            Next::Waiting | Next::Again => return self.is_held,
        }
        self.is_held = !self.machine.are_free();
        self.is_held
    }

    /// Tells those that take it of an invocation, once.
    pub fn tell_of(&mut self, running: &Running) {
        let invocation = &running.job.invocation;
        if self.told_of == invocation.request_id {
            return;
        }
        self.told_of.clone_from(&invocation.request_id);
        self.answer_began = None;
        let arn = running.job.target.arn.to_str().unwrap_or_default();
        let body = json!({
            "eventType": "INVOKE", "deadlineMs": running.deadline_ms, "requestId": invocation.request_id,
            "invokedFunctionArn": arn,
            "tracing": { "type": "X-Amzn-Trace-Id", "value": trace_of(invocation) },
        });
        self.invoke = body.to_string().into();
        if self.machine.invoke() {
            self.news.notify_waiters();
        }
    }

    /// The runtime begins to answer.
    pub fn answer_begins(&mut self) {
        self.answer_began = Some(Instant::now());
    }

    fn tell_of_end(&mut self, until: Instant, now: Instant) {
        let left_ms = until.saturating_duration_since(now).as_millis() as i64;
        let reason = self.reason.unwrap_or(Reason::Spindown).as_str();
        let deadline_ms = clock::now_ms() + left_ms;
        let body = json!({ "eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms });
        self.shutdown = body.to_string().into();
        self.machine.shut_down();
        self.news.notify_waiters();
    }

    /// Does an extension work on something, or isn't there yet?
    fn is_busy(&self) -> bool {
        !self.machine.are_free()
    }
}

/// A call of an extension that waits.
struct WaitingCall<'a> {
    environment: &'a Environment,
    news: Arc<Notify>,
    place: usize,
}

impl Drop for WaitingCall<'_> {
    fn drop(&mut self) {
        if let Some(extended) = self.environment.lock().extended.as_deref_mut()
            && Arc::ptr_eq(&extended.news, &self.news)
        {
            extended.machine.give_up(self.place);
        }
    }
}

impl Environment {
    /// `POST /extension/register`. Answers the identifier that the extension gets.
    pub fn register_extension(&self, name: &str, events: &[String]) -> Result<String, Rejection> {
        let mut state = self.lock();
        let is_starting = !state.is_ready && !state.is_over && state.start.fault.is_none();
        if state.extended.is_none() && is_starting {
            state.extended = Some(Box::new(Extended::new(Vec::new(), String::new())));
        }
        let process = state.process.clone();
        let extended = state.extended.as_deref_mut().ok_or(Rejection::Closed)?;
        let id = uuid::Uuid::new_v4().to_string();
        extended.machine.register(name, events, id.clone())?;
        if extended.is_runtime_due && extended.machine.have_registered() {
            extended.is_runtime_due = false;
            process.iter().for_each(|process| process.start_program());
        }
        Ok(id)
    }

    /// `GET /extension/event/next`: waits until there is an event for this extension.
    pub async fn extension_next(self: &Arc<Self>, id: &str) -> Result<Reply, Rejection> {
        let waiting = {
            let mut state = self.lock();
            let extended = state.extended(id)?;
            let place = extended.machine.find(id)?;
            extended.machine.next(place)?;
            let news = extended.news.clone();
            self.settle(&mut state);
            WaitingCall { environment: self, news, place }
        };
        loop {
            let mut notified = pin!(waiting.news.notified());
            notified.as_mut().enable();
            if let Some(event) = self.event_for(&waiting) {
                return Ok(event);
            }
            notified.await;
        }
    }

    fn event_for(&self, waiting: &WaitingCall<'_>) -> Option<Reply> {
        let mut state = self.lock();
        let extended = state.extended.as_deref_mut()?;
        let happening = extended.machine.take(waiting.place)?;
        Some(event(match happening {
            Happening::Invoke => extended.invoke.clone(),
            Happening::Shutdown => extended.shutdown.clone(),
        }))
    }

    /// `POST /extension/init/error` and `/exit/error`.
    pub fn extension_error(self: &Arc<Self>, id: &str, is_init: bool, words: &str) -> Result<(), Rejection> {
        let mut state = self.lock();
        let extended = state.extended(id)?;
        let place = extended.machine.find(id)?;
        if is_init {
            extended.machine.init_error(place)?;
        } else {
            extended.machine.exit_error(place)?;
        }
        if extended.wind_down.is_none() {
            let error_type = if is_init { "Extension.InitError" } else { "Extension.ExitError" };
            self.fail(&mut state, error_type, words);
        }
        self.control.notify_one();
        Ok(())
    }

    /// The runtime may wait for its extensions, and they may all wait by now.
    fn settle(self: &Arc<Self>, state: &mut State) {
        let Some(extended) = state.extended.as_deref_mut() else { return };
        let is_over = state.is_over || state.start.fault.is_some();
        if is_over || !extended.is_held || extended.is_busy() {
            return;
        }
        extended.is_held = false;
        if self.freed(state) {
            let waker = state.parked.as_mut().and_then(|parked| parked.waker.take());
            waker.into_iter().for_each(std::task::Waker::wake);
        }
    }

    /// Logs what extensions have written, when they have.
    pub(super) async fn extensions_output(&self, pipe: Option<&Receiver>) -> Drained {
        match pipe {
            Some(pipe) if pipe.readable().await.is_ok() => {
                self.lock().output.drain_extensions(clock::now_ms())
            }
            _ => Drained::Ended,
        }
    }
}

impl State {
    /// For what is to be run next: with external extensions or without.
    pub(super) fn extend_for(&mut self, spec: &Spec) {
        self.extended = Extended::of(spec);
        self.output.relay = self.extended.is_some().then(|| Box::new(Relay::new()));
    }

    pub(super) fn connect_with(&mut self, connectors: Vec<Connector>) {
        if let Some(extended) = self.extended.as_deref_mut() {
            extended.connectors = connectors;
        }
    }

    /// The runtime waits. Do extensions keep the environment from being free?
    pub(super) fn is_held_after(&mut self, next: Next) -> bool {
        let (is_retry, is_provisioned) = (self.start.is_retry, self.is_provisioned);
        match next {
            Next::Started => {
                let status = &Status::Ended;
                let done = Line::InitRuntimeDone { is_retry, is_provisioned, status };
                self.output.relay(clock::now_ms(), &done);
            }
            Next::Finished => self.tell_runtime_done(),
            Next::Waiting | Next::Again => {}
        }
        self.extended.as_deref_mut().is_some_and(|extended| extended.holds(next))
    }

    fn extended(&mut self, id: &str) -> Result<&mut Extended, Rejection> {
        self.extended.as_deref_mut().ok_or_else(|| Rejection::UnknownIdentifier(id.to_owned()))
    }
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
