use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;

use crate::event_invoke_config::{Input, View, check_destinations};
use crate::{Error, State, find};

/// Sets the rules for asynchronous invocations anew, whatever was set before.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let target = input.target(&state.store, &caller, "PutFunctionEventInvokeConfig")?;
    let mut config = input.alone(&target)?;
    config.modified_ms = now_ms;
    let put = move |tx: &mut Transaction<'_>| {
        find::version(tx, &target)?;
        check_destinations(tx, &config)?;
        tx.put(&config)?;
        Ok::<_, Error>(config)
    };
    Ok(state.store.write(put).await?.into())
}
