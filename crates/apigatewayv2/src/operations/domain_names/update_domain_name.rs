use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::domain_name::{self, Configuration};
use crate::{Error, State, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    domain_name: String,
    domain_name_configurations: Option<Vec<Configuration>>,
    routing_mode: Option<String>,
}

/// Changes a domain as far as something is said.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DomainName, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let configuration = input.domain_name_configurations.map(Configuration::only).transpose()?;
    let update = move |tx: &mut Transaction<'_>| {
        let mut domain = domain_name::find(tx, &caller.scope, &input.domain_name)?;
        domain_name::check_managed(&domain)?;
        configuration.unwrap_or_default().apply(&mut domain, now_ms);
        if let Some(mode) = input.routing_mode.as_deref().and_then(domain_name::routing_mode) {
            mode.clone_into(&mut domain.routing_mode);
        }
        domain_name::check(&domain)?;
        tx.put(&domain)?;
        Ok::<_, Error>(domain)
    };
    Ok(state.store.write(update).await?.into())
}
