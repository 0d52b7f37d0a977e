use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pitbird_invoke::{Event, Invocation, Outcome};
use pitbird_service::{Call, Caller, Fault};
use pitbird_snapshot::{Function, FunctionKey};
use pitbird_wire::Blob;
use serde::{Deserialize, Serialize};

use crate::invocation::{self, Kind};
use crate::{Error, State, Target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
    invocation_type: Option<String>,
    log_type: Option<String>,
    client_context: Option<String>,
    payload: Option<Blob>,
}

/// What is to be done, all of it checked.
pub struct Asked {
    pub kind: Kind,
    pub target: Target,
    pub function: Arc<Function>,
    pub invocation: Invocation,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    status_code: u16,
    function_error: Option<&'static str>,
    log_result: Option<String>,
    executed_version: Option<String>,
    payload: Option<Blob>,
}

/// Runs a function and waits for its answer, or keeps an event for later, or only looks whether it could.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Asked { kind, target, function, invocation } = read(&state, call)?;
    match kind {
        Kind::DryRun => Ok(Output { status_code: 204, ..Output::default() }),
        Kind::Event => {
            keep(&state, target, invocation).await?;
            Ok(Output { status_code: 202, ..Output::default() })
        }
        Kind::RequestResponse => {
            let invoked =
                state.run.invoke(&function, target.qualifier.as_ref(), state.draw(), invocation).await;
            let outcome = invoked.map_err(|refused| invocation::refused(&refused, &target));
            Ok(outcome?.into())
        }
    }
}

/// What a call asks for.
pub fn read(state: &State, call: Call<Input>) -> Result<Asked, Error> {
    let Call { caller, input, request_id, now_ms, trace_id, .. } = call;
    let kind = Kind::parse(input.invocation_type.as_deref());
    let (target, function) = find(state, &caller, &input.function_name, input.qualifier.as_deref())?;
    let payload = input.payload.map_or(Bytes::new(), |blob| blob.0);
    invocation::check_payload(&payload, kind)?;
    let client_context = input.client_context.as_deref().map(invocation::client_context).transpose()?;
    let wants_log_tail = input.log_type.as_deref() == Some("Tail") && kind == Kind::RequestResponse;
    let invocation = Invocation {
        request_id,
        payload,
        at_ms: now_ms,
        trace_id,
        client_context,
        wants_log_tail,
        ..Invocation::default()
    };
    Ok(Asked { kind, target, function, invocation })
}

/// Keeps an event for later.
pub async fn keep(state: &State, target: Target, invocation: Invocation) -> Result<(), Error> {
    let Target { scope, name: function, qualifier } = target;
    let kept = state.run.enqueue(Event { scope, function, qualifier, invocation }).await;
    kept.map_err(invocation::unqueued)
}

/// The function that a call means, as the data plane sees it, if what is meant is ready to run.
pub fn find(
    state: &State,
    caller: &Caller,
    name: &str,
    qualifier: Option<&str>,
) -> Result<(Target, Arc<Function>), Error> {
    let target = Target::parse(&state.store, caller, "InvokeFunction", name, qualifier)?;
    let key = FunctionKey { scope: target.scope.clone(), name: target.name.clone() };
    let snapshot = state.store.snapshot();
    let function = snapshot.function(&key).cloned().ok_or_else(|| target.not_found())?;
    let resolved = function.resolve(target.qualifier.as_ref(), 0.0).map_err(|_| target.not_found())?;
    match &resolved.version.record.state {
        pitbird_records::function::State::Active => Ok((target, function)),
        other => Err(invocation::refused(&pitbird_invoke::Refused::NotReady(other.clone()), &target)),
    }
}

impl From<Outcome> for Output {
    fn from(outcome: Outcome) -> Output {
        Output {
            status_code: 200,
            function_error: outcome.function_error,
            log_result: outcome.log_tail.map(|tail| STANDARD.encode(tail)),
            executed_version: Some(outcome.executed_version.to_string()),
            payload: Some(Blob(outcome.payload)),
        }
    }
}
