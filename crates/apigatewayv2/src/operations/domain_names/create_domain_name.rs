use std::sync::Arc;

use pitbird_names::domain::DOMAINS_MAX;
use pitbird_records::{DomainName, Texts, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::domain_name::{self, Configuration};
use crate::{Error, State, shape, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    domain_name: String,
    domain_name_configurations: Option<Vec<Configuration>>,
    routing_mode: Option<String>,
    tags: Option<Texts>,
}

/// Makes a domain, which is available at once. A name has one owner, over all accounts and regions.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DomainName, Fault> {
    let domain = parse(call)?;
    let create = move |tx: &mut Transaction<'_>| {
        if tx.count::<DomainName>(&prefix(&domain.scope, &[]))? >= DOMAINS_MAX {
            return Err(Error::TooMany { what: "domain names for this account", limit: DOMAINS_MAX });
        }
        let mut others = tx.list::<DomainName>("")?.into_iter();
        if others.any(|other| other.record.name == domain.name) {
            return Err(Error::DomainNameExists);
        }
        tx.put(&domain)?;
        Ok(domain)
    };
    Ok(state.store.write(create).await?.into())
}

fn parse(call: Call<Input>) -> Result<DomainName, Error> {
    let input = call.input;
    let mut domain = domain_name::fresh(call.caller.scope, &input.domain_name, call.now_ms)?;
    let configurations = input.domain_name_configurations.unwrap_or_default();
    Configuration::only(configurations)?.apply(&mut domain, call.now_ms);
    if let Some(mode) = input.routing_mode.as_deref().and_then(domain_name::routing_mode) {
        mode.clone_into(&mut domain.routing_mode);
    }
    domain_name::check(&domain)?;
    domain.tags = input.tags.unwrap_or_default();
    tags::check(&domain.tags)?;
    Ok(domain)
}
