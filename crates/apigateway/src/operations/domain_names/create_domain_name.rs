use std::sync::Arc;

use pitbird_names::domain::DOMAINS_MAX;
use pitbird_records::{DomainName, Texts, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::rest_api::{self, Endpoint};
use crate::{Error, State, domain_name, shape, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    domain_name: String,
    certificate_name: Option<String>,
    certificate_arn: Option<String>,
    regional_certificate_name: Option<String>,
    regional_certificate_arn: Option<String>,
    endpoint_configuration: Option<EndpointConfiguration>,
    tags: Option<Texts>,
    security_policy: Option<String>,
    routing_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndpointConfiguration {
    types: Option<Vec<String>>,
    ip_address_type: Option<String>,
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
    let endpoint = input.endpoint_configuration;
    let (types, ip) = endpoint.map_or((None, None), |endpoint| (endpoint.types, endpoint.ip_address_type));
    let Endpoint { types, ip_address_type } = rest_api::endpoint(types, ip)?;
    let endpoint_type = types.into_iter().next().ok_or(Error::NoEndpointType)?;
    let is_regional = endpoint_type == "REGIONAL";
    let pick = |regional: Option<String>, edge: Option<String>| {
        let (own, other) = if is_regional { (regional, edge) } else { (edge, regional) };
        own.or(other).filter(|text| !text.is_empty())
    };
    let domain = DomainName {
        scope: call.caller.scope,
        name: domain_name::parse_name(&input.domain_name)?,
        created_ms: call.now_ms,
        endpoint_type,
        ip_address_type,
        certificate_arn: pick(input.regional_certificate_arn, input.certificate_arn),
        certificate_name: pick(input.regional_certificate_name, input.certificate_name),
        certificate_uploaded_ms: Some(call.now_ms),
        security_policy: input.security_policy.unwrap_or_else(|| "TLS_1_2".to_owned()),
        routing_mode: input.routing_mode.unwrap_or_else(|| "BASE_PATH_MAPPING_ONLY".to_owned()),
        tags: input.tags.unwrap_or_default(),
    };
    domain_name::check(&domain)?;
    tags::check(&domain.tags)?;
    Ok(domain)
}
