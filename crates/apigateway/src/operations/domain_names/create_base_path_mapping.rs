use std::sync::Arc;

use pitbird_names::domain::MAPPINGS_MAX;
use pitbird_records::DomainMapping;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::domain_name::base_path;
use crate::{Error, State, domain_name, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    domain_name: String,
    base_path: Option<String>,
    rest_api_id: String,
    stage: Option<String>,
}

/// Leads a domain's path to an API's stage, or to the stage that the next segment names.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::BasePathMapping, Fault> {
    let Call { caller, input, .. } = call;
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::domain(tx, &caller.scope, &input.domain_name)?;
        base_path::check_routing(&domain)?;
        if base_path::all(tx, &domain.scope, &domain.name)?.len() >= MAPPINGS_MAX {
            return Err(Error::TooMany { what: "mappings for this domain name", limit: MAPPINGS_MAX });
        }
        let mapping = DomainMapping {
            id: find::unused_id::<DomainMapping>(tx, &domain.scope, &[&domain.name], 6, entropy)?,
            scope: domain.scope,
            domain_name: domain.name,
            base_path: base_path::parse(input.base_path.as_deref())?,
            api_id: input.rest_api_id,
            stage: input.stage.filter(|stage| !stage.is_empty()),
        };
        base_path::check(&mapping, tx)?;
        tx.put(&mapping)?;
        Ok(mapping)
    };
    Ok(state.store.write(create).await?.into())
}
