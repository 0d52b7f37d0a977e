use std::sync::Arc;

use pitbird_records::SubscriptionFilter;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::{Error, State, group};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    filter_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    group::kept(&state, &caller.scope, &input.log_group_name).await?;
    let key = SubscriptionFilter::key_of(&caller.scope, &input.log_group_name, &input.filter_name);
    let delete = move |tx: &mut Transaction<'_>| {
        if tx.delete::<SubscriptionFilter>(&key)? { Ok(()) } else { Err(Error::NoSubscriptionFilter) }
    };
    state.store.write(delete).await?;
    state.filters.read(&state.store).map_err(Error::from)?;
    Ok(Nothing {})
}
