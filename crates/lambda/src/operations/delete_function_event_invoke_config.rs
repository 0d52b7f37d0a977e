use std::sync::Arc;

use pitbird_records::EventInvokeConfig;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::view::Nothing;
use crate::{Error, State, event_invoke_config};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

/// Goes back to the default rules for asynchronous invocations.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let qualifier = input.qualifier.as_deref();
    let operation = "DeleteFunctionEventInvokeConfig";
    let target =
        event_invoke_config::target(&state.store, &caller, operation, &input.function_name, qualifier)?;
    let delete = move |tx: &mut Transaction<'_>| {
        event_invoke_config::find(tx, &target)?;
        tx.delete::<EventInvokeConfig>(&event_invoke_config::key(&target))?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
