use std::sync::Arc;

use pitbird_records::{DomainMapping, DomainName, Record, RoutingRule, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, domain_name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    domain_name: String,
}

/// Deletes a domain with its mappings and rules.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::find(tx, &caller.scope, &input.domain_name)?;
        let below = prefix(&domain.scope, &[&domain.name]);
        tx.delete_all::<DomainMapping>(&below)?;
        tx.delete_all::<RoutingRule>(&below)?;
        tx.delete::<DomainName>(&domain.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
