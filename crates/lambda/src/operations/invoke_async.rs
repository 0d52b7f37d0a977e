use std::sync::Arc;

use pitbird_invoke::Invocation;
use pitbird_service::{Call, Fault};
use pitbird_wire::Blob;
use serde::{Deserialize, Serialize};

use crate::State;
use crate::invocation::{self, Kind};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    invoke_args: Blob,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    status: u16,
}

/// The old way to keep an event for later.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, request_id, now_ms, trace_id, .. } = call;
    let (target, _) = super::invoke::find(&state, &caller, &input.function_name, None)?;
    let payload = input.invoke_args.0;
    invocation::check_payload(&payload, Kind::Event)?;
    let invocation = Invocation { request_id, payload, at_ms: now_ms, trace_id, ..Invocation::default() };
    super::invoke::keep(&state, target, invocation).await?;
    Ok(Output { status: 202 })
}
