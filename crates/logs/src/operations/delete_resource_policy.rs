use std::sync::Arc;

use pitbird_records::LogPolicy;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    policy_name: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let name = input.policy_name.ok_or(Error::PolicyName)?;
    let key = LogPolicy::key_of(&caller.scope, &name);
    let delete = move |tx: &mut Transaction<'_>| {
        if tx.delete::<LogPolicy>(&key)? { Ok(()) } else { Err(Error::NoPolicy(name)) }
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
