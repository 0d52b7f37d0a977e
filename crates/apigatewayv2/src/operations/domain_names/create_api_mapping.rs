use std::sync::Arc;

use pitbird_names::domain::MAPPINGS_MAX;
use pitbird_names::short_id;
use pitbird_records::DomainMapping;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, api_mapping, domain_name, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    api_mapping_key: Option<String>,
    domain_name: String,
    stage: String,
}

/// Leads a domain's path to the stage of an HTTP or a REST API.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ApiMapping, Fault> {
    let Call { caller, input, .. } = call;
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::find(tx, &caller.scope, &input.domain_name)?;
        if domain.routing_mode == "ROUTING_RULE_ONLY" {
            return Err(Error::MappingsUnused);
        }
        let present = domain_name::mappings(tx, &domain)?;
        if present.len() >= MAPPINGS_MAX {
            return Err(Error::TooMany { what: "mappings for this domain name", limit: MAPPINGS_MAX });
        }
        let mut id = short_id(entropy(), 6);
        while present.iter().any(|other| other.id == id) {
            id = short_id(entropy(), 6);
        }
        let mapping = DomainMapping {
            scope: domain.scope.clone(),
            domain_name: domain.name.clone(),
            id,
            base_path: api_mapping::parse_key(input.api_mapping_key)?,
            api_id: input.api_id,
            stage: Some(input.stage),
        };
        api_mapping::check(&mapping, &domain, tx)?;
        tx.put(&mapping)?;
        Ok(mapping)
    };
    Ok(state.store.write(create).await?.into())
}
