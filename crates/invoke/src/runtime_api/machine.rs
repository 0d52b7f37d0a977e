//! What a runtime's client may ask for, and when. Decides only; nothing here waits or writes.
//!
//! States and refusals are those of AWS's runtime interface emulator.

use serde::Serialize;
use thiserror::Error;

/// Where an environment's runtime stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its process runs and has asked for nothing yet.
    Starting,
    /// It said that it can't start.
    Failed,
    /// It waits for an invocation.
    Idle,
    /// It has one.
    Running,
    /// Its answer is on the way.
    Answering(Answer),
    /// Its answer is complete, and it hasn't asked for more.
    Answered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Response,
    Error,
}

/// What a call to `next` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The runtime has started and is free.
    Started,
    /// It has finished its invocation and is free again.
    Finished,
    /// It was free already; this call takes the place of the one before.
    Waiting,
    /// It has an invocation and asks for it once more, as after a broken connection.
    Again,
}

/// A call that the state forbids.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    #[error("Invalid request ID")]
    RequestId,
    #[error(
        "State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"
    )]
    Transition { from: &'static str, to: &'static str },
}

impl Rejection {
    /// `errorType` of the answer.
    pub fn error_type(&self) -> &'static str {
        match self {
            Rejection::RequestId => "InvalidRequestID",
            Rejection::Transition { .. } => "InvalidStateTransition",
        }
    }
}

/// Body of every refusal of the Runtime API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody<'a> {
    pub error_message: &'a str,
    pub error_type: &'a str,
}

#[derive(Debug)]
pub struct Machine {
    phase: Phase,
    /// Of the invocation that runs or that ran last.
    request_id: String,
}

impl Machine {
    pub fn new() -> Machine {
        Machine { phase: Phase::Starting, request_id: String::new() }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// `GET /runtime/invocation/next`.
    pub fn next(&mut self) -> Result<Next, Rejection> {
        let next = match self.phase {
            Phase::Starting => Next::Started,
            Phase::Answered => Next::Finished,
            Phase::Idle => Next::Waiting,
            Phase::Running => return Ok(Next::Again),
            Phase::Failed | Phase::Answering(_) => return Err(self.forbidden("Ready")),
        };
        self.phase = Phase::Idle;
        Ok(next)
    }

    /// Gives an idle runtime an invocation.
    ///
    /// # Panics
    /// When it isn't idle.
    pub fn assign(&mut self, request_id: &str) {
        assert_eq!(self.phase, Phase::Idle, "only an idle runtime takes an invocation");
        self.phase = Phase::Running;
        self.request_id.clear();
        self.request_id.push_str(request_id);
    }

    /// `POST /runtime/invocation/{id}/response` or `/error`, with its body still to come.
    pub fn begin(&mut self, request_id: &str, answer: Answer) -> Result<(), Rejection> {
        if self.request_id != request_id || request_id.is_empty() {
            return Err(Rejection::RequestId);
        }
        if self.phase != Phase::Running {
            return Err(self.forbidden(answer.state()));
        }
        self.phase = Phase::Answering(answer);
        Ok(())
    }

    /// The answer's body has come.
    pub fn finish(&mut self) {
        assert!(matches!(self.phase, Phase::Answering(_)), "an answer finishes after it began");
        self.phase = Phase::Answered;
    }

    /// The answer broke off; the runtime may try again.
    pub fn break_off(&mut self) {
        if let Phase::Answering(_) = self.phase {
            self.phase = Phase::Running;
        }
    }

    /// Whether `POST /runtime/init/error` may come.
    pub fn may_fail(&self) -> Result<(), Rejection> {
        if self.phase == Phase::Starting { Ok(()) } else { Err(self.forbidden("InitError")) }
    }

    /// `POST /runtime/init/error`.
    pub fn init_error(&mut self) -> Result<(), Rejection> {
        self.may_fail()?;
        self.phase = Phase::Failed;
        Ok(())
    }

    fn forbidden(&self, to: &'static str) -> Rejection {
        let from = match self.phase {
            Phase::Starting => "Started",
            Phase::Failed => "InitError",
            Phase::Idle | Phase::Running => "Ready",
            Phase::Answering(answer) => answer.state(),
            Phase::Answered => "ResponseSent",
        };
        Rejection::Transition { from, to }
    }
}

impl Answer {
    fn state(self) -> &'static str {
        match self {
            Answer::Response => "InvocationResponse",
            Answer::Error => "InvocationErrorResponse",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_invocation_has_one_answer() {
        let mut machine = Machine::new();
        assert_eq!(machine.begin("", Answer::Response), Err(Rejection::RequestId));
        assert_eq!(machine.next(), Ok(Next::Started));
        assert_eq!(machine.next(), Ok(Next::Waiting));
        machine.assign("a");
        assert_eq!(machine.next(), Ok(Next::Again));
        assert_eq!(machine.begin("b", Answer::Response), Err(Rejection::RequestId));
        assert_eq!(machine.begin("a", Answer::Response), Ok(()));
        let twice = Rejection::Transition { from: "InvocationResponse", to: "InvocationErrorResponse" };
        assert_eq!(machine.begin("a", Answer::Error), Err(twice));
        machine.break_off();
        assert_eq!(machine.begin("a", Answer::Error), Ok(()));
        machine.finish();
        let late = Rejection::Transition { from: "ResponseSent", to: "InvocationResponse" };
        assert_eq!(machine.begin("a", Answer::Response), Err(late.clone()));
        assert_eq!(late.error_type(), "InvalidStateTransition");
        assert_eq!(machine.next(), Ok(Next::Finished));
        assert!(machine.begin("a", Answer::Response).is_err(), "the id is an earlier invocation's");
    }

    #[test]
    fn a_start_fails_once_and_for_all() {
        let mut machine = Machine::new();
        assert_eq!(machine.init_error(), Ok(()));
        assert!(machine.init_error().is_err() && machine.next().is_err());
        let mut machine = Machine::new();
        machine.next().unwrap();
        assert!(machine.init_error().is_err(), "it has started");
    }

    proptest! {
        #[test]
        fn no_order_of_calls_harms(calls in proptest::collection::vec(0u8..8, 0..200)) {
            let mut machine = Machine::new();
            let (mut assigned, mut answered) = (0, 0);
            for call in calls {
                match call {
                    0 => drop(machine.next()),
                    1 if machine.phase() == Phase::Idle => {
                        assigned += 1;
                        machine.assign(&assigned.to_string());
                    }
                    2 => drop(machine.begin(&assigned.to_string(), Answer::Response)),
                    3 => drop(machine.begin(&assigned.to_string(), Answer::Error)),
                    4 => prop_assert!(machine.begin("other", Answer::Error).is_err()),
                    5 => drop(machine.init_error()),
                    6 => machine.break_off(),
                    _ if matches!(machine.phase(), Phase::Answering(_)) => {
                        machine.finish();
                        answered += 1;
                    }
                    _ => {}
                }
                prop_assert!(answered <= assigned && assigned <= answered + 1);
            }
        }
    }
}
