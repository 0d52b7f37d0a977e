//! What goes in and what comes out.

use std::sync::Arc;

use bytes::Bytes;
use pitbird_names::{VersionId, limits};
use pitbird_records::function::State;
use thiserror::Error;

use crate::code::CodeError;
use crate::concurrency::Throttle;
use crate::runtime::RuntimeError;

/// One call of a function.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// A UUID; the function sees it as its `aws_request_id`.
    pub request_id: String,
    /// The event, at most [`limits::INVOKE_PAYLOAD_BYTES`]. Functions expect JSON; an empty one becomes `{}`.
    pub payload: Bytes,
    /// When the call came, milliseconds since 1970: the time of its metrics.
    pub at_ms: i64,
    /// `Root=…;Parent=…;Sampled=…`; made from the request id when the caller has none.
    pub trace_id: Option<String>,
    /// The client context's JSON, no longer in base64.
    pub client_context: Option<String>,
    /// Whether it was queued, so that its caller has gone on long before.
    pub is_queued: bool,
    /// Whether [`Outcome::log_tail`] is asked for.
    pub wants_log_tail: bool,
}

/// What came of an invocation that ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The function's answer, or the body of its error.
    pub payload: Bytes,
    /// `Unhandled` when the function failed.
    pub function_error: Option<&'static str>,
    /// Of a failure: `Sandbox.Timedout`, `Runtime.ExitError`, or what the function named.
    pub error_type: Option<String>,
    pub executed_version: VersionId,
    /// The last 4 KiB of what this invocation logged, the platform's lines among it.
    pub log_tail: Option<Bytes>,
    pub duration_ms: f64,
    pub billed_ms: u64,
    /// What that comes to, as far as it is known when the function has answered: extensions may go on.
    pub billed: Billed,
    /// How long the environment took to start, if this was its first invocation.
    pub init_ms: Option<f64>,
    /// A number that tells environments apart.
    pub environment: u64,
}

impl Outcome {
    /// Did the caller wait for an environment to start?
    pub fn is_cold(&self) -> bool {
        self.init_ms.is_some() && !self.billed.is_provisioned
    }
}

/// What an invocation costs in time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Billed {
    /// Billed milliseconds times the function's MiB.
    pub mib_ms: u64,
    /// It ran where it is kept ready, which has a price of its own.
    pub is_provisioned: bool,
}

/// Why an invocation did not run.
#[derive(Debug, Clone, Error)]
pub enum Refused {
    #[error("{0}")]
    Unknown(#[from] pitbird_snapshot::Unknown),
    #[error("too many invocations run: {}", .0.as_str())]
    Throttled(Throttle),
    /// The version is still being made, or can't be.
    #[error("the version is in state {0:?}")]
    NotReady(State),
    #[error("the payload is longer than {} bytes", limits::INVOKE_PAYLOAD_BYTES)]
    PayloadTooLarge,
    #[error(transparent)]
    Runtime(Arc<RuntimeError>),
    #[error(transparent)]
    Code(CodeError),
    /// The host couldn't make an environment.
    #[error("no environment could be made: {0}")]
    Environment(Arc<pitbird_sandbox::Error>),
    #[error("the server is shutting down")]
    ShuttingDown,
}
