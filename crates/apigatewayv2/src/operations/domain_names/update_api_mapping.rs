use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, api_mapping, domain_name, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    api_mapping_id: String,
    api_mapping_key: Option<String>,
    domain_name: String,
    stage: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ApiMapping, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::find(tx, &caller.scope, &input.domain_name)?;
        let mut mapping = api_mapping::find(tx, &domain, &input.api_mapping_id)?;
        mapping.api_id = input.api_id;
        if let Some(key) = input.api_mapping_key {
            mapping.base_path = api_mapping::parse_key(Some(key))?;
        }
        if let Some(stage) = input.stage {
            mapping.stage = Some(stage);
        }
        api_mapping::check(&mapping, &domain, tx)?;
        tx.put(&mapping)?;
        Ok::<_, Error>(mapping)
    };
    Ok(state.store.write(update).await?.into())
}
