use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;

use crate::event_invoke_config::{self, Input, View, check_destinations};
use crate::{Error, State};

/// Changes some of the rules for asynchronous invocations.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let target = input.target(&state.store, &caller, "UpdateFunctionEventInvokeConfig")?;
    let update = move |tx: &mut Transaction<'_>| {
        let mut config = input.over(event_invoke_config::find(tx, &target)?)?;
        config.modified_ms = now_ms;
        check_destinations(tx, &config)?;
        tx.put(&config)?;
        Ok::<_, Error>(config)
    };
    Ok(state.store.write(update).await?.into())
}
