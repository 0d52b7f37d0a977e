use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_id: Option<String>,
    lifecycle_event_hook_execution_id: Option<String>,
    status: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    lifecycle_event_hook_execution_id: String,
}

/// A hook's function says how its validation went; once.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let went_well = match input.status.as_deref() {
        Some("Succeeded") => true,
        Some("Failed") => false,
        _ => {
            let words = "The result of a Lambda validation function that verifies a lifecycle event is invalid. It should return \
                         Succeeded or Failed.";
            return Err(Error::invalid("InvalidLifecycleEventHookExecutionStatusException", words).into());
        }
    };
    let execution_id = input.lifecycle_event_hook_execution_id.unwrap_or_default();
    let wanted = execution_id.clone();
    let answer = move |tx: &mut Transaction<'_>| {
        let mut deployment = find::deployment(tx, &caller.scope, input.deployment_id.as_deref())?;
        let mut events = deployment.events.iter_mut();
        let event = events.find(|event| event.hook.as_ref().is_some_and(|run| run.execution_id == wanted));
        let unknown = || {
            let words = "A lifecycle event hook is invalid. Review the hooks section in your AppSpec file to ensure the lifecycle \
                         events and hooks functions are valid.";
            Error::invalid("InvalidLifecycleEventHookExecutionIdException", words)
        };
        let event = event.ok_or_else(unknown)?;
        let is_over = event.status.has_ended();
        let run = event.hook.as_mut().ok_or_else(unknown)?;
        if is_over || run.answer.is_some() {
            return Err(Error::EventCompleted);
        }
        run.answer = Some(went_well);
        tx.put(&deployment)?;
        Ok::<_, Error>(deployment)
    };
    let deployment = state.parts.store.write(answer).await?;
    state.drivers.ring(&deployment);
    Ok(Output { lifecycle_event_hook_execution_id: execution_id })
}
