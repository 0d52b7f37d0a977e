use std::sync::Arc;

use pitbird_records::{LogGroup, MetricFilter, SubscriptionFilter};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::{Error, State, group};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let (scope, name) = (caller.scope, input.log_group_name);
    group::kept(&state, &scope, &name).await?;
    let key = LogGroup::key_of(&scope, &name);
    let filters = MetricFilter::prefix_of(&scope, &name);
    let delete = move |tx: &mut Transaction<'_>| {
        let found = tx.get::<LogGroup>(&key)?;
        if let Some(found) = found.filter(|found| found.record.is_protected) {
            return Err(Error::Protected(found.record.name));
        }
        tx.delete::<LogGroup>(&key)?;
        tx.delete_all::<MetricFilter>(&filters)?;
        tx.delete_all::<SubscriptionFilter>(&filters)?;
        Ok(())
    };
    // The record first: should the rest fail, the group is still listed and can be deleted again.
    state.store.write(delete).await?;
    state.filters.read(&state.store).map_err(Error::from)?;
    state.telemetry.delete_group(&scope, &name).await.map_err(Error::from)?;
    Ok(Nothing {})
}
