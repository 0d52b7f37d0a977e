use std::sync::Arc;

use pitbird_records::{DomainMapping, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, api_mapping, domain_name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_mapping_id: String,
    domain_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::find(tx, &caller.scope, &input.domain_name)?;
        domain_name::check_managed(&domain)?;
        let mapping = api_mapping::find(tx, &domain, &input.api_mapping_id)?;
        tx.delete::<DomainMapping>(&mapping.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
