use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::view::Concurrency;
use crate::{Error, State, Target, concurrency, find, provisioned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    reserved_concurrent_executions: u32,
}

/// Reserves a number of invocations at once for one function, which is also the most it gets.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Concurrency, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "PutFunctionConcurrency", &input.function_name)?;
    let wanted = input.reserved_concurrent_executions;
    let reserve = move |tx: &mut Transaction<'_>| {
        let mut head = find::head(tx, &target)?;
        provisioned::check_reserved(&*tx, &target, wanted)?;
        concurrency::check(&*tx, &target, wanted)?;
        head.function.get_or_insert_default().reserved_concurrency = Some(wanted);
        tx.put(&head)?;
        Ok::<_, Error>(())
    };
    state.store.write(reserve).await?;
    Ok(Concurrency { reserved_concurrent_executions: Some(wanted) })
}
