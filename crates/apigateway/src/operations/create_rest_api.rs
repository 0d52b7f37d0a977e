use std::sync::Arc;

use pitbird_names::api_id;
use pitbird_records::{Record, Resource, RestApi, Texts, prefix};
use pitbird_service::{Call, Fault};
use pitbird_snapshot::Snapshot;
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::rest_api::{self, APIS_MAX, Endpoint};
use crate::{Error, State, model, policy, shape, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    name: String,
    description: Option<String>,
    version: Option<String>,
    binary_media_types: Option<Vec<String>>,
    minimum_compression_size: Option<i64>,
    api_key_source: Option<String>,
    endpoint_configuration: Option<EndpointConfiguration>,
    policy: Option<String>,
    tags: Option<Texts>,
    disable_execute_api_endpoint: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndpointConfiguration {
    types: Option<Vec<String>>,
    ip_address_type: Option<String>,
    vpc_endpoint_ids: Option<Vec<String>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RestApi, Fault> {
    let entropy = state.entropy;
    let mut api = parse(call)?;
    // An id is unique over all accounts and regions: an invoke URL names nothing else.
    let everywhere = state.store.snapshot();
    let create = move |tx: &mut Transaction<'_>| {
        identify(tx, &mut api, &everywhere, entropy)?;
        tx.put(&root(&api))?;
        for model in model::defaults(&api, entropy) {
            tx.put(&model)?;
        }
        tx.put(&api)?;
        Ok::<_, Error>(api)
    };
    Ok(shape::RestApi::brief(state.store.write(create).await?))
}

/// Gives a new API its ids, if there is room for one.
pub fn identify(
    tx: &Transaction<'_>,
    api: &mut RestApi,
    everywhere: &Snapshot,
    entropy: fn() -> u128,
) -> Result<(), Error> {
    if tx.count::<RestApi>(&prefix(&api.scope, &[]))? >= APIS_MAX {
        return Err(Error::TooMany { what: "APIs for this account", limit: APIS_MAX });
    }
    api.id = api_id(entropy());
    while everywhere.api(&api.id).is_some()
        || everywhere.http_api(&api.id).is_some()
        || tx.exists::<RestApi>(&api.key())?
    {
        api.id = api_id(entropy());
    }
    api.root_resource_id = api_id(entropy());
    Ok(())
}

/// The API without its ids.
fn parse(call: Call<Input>) -> Result<RestApi, Error> {
    let input = call.input;
    if input.name.is_empty() {
        return Err(Error::EmptyName);
    }
    if input.description.as_deref() == Some("") {
        return Err(Error::EmptyDescription);
    }
    let minimum_compression_size = rest_api::compression_size(input.minimum_compression_size)?;
    let endpoint = input.endpoint_configuration;
    let vpc_endpoint_ids = endpoint.as_ref().and_then(|endpoint| endpoint.vpc_endpoint_ids.as_ref());
    if vpc_endpoint_ids.is_some_and(|ids| !ids.is_empty()) {
        return Err(Error::unsupported("endpointConfiguration.vpcEndpointIds"));
    }
    let (types, ip) = endpoint.map_or((None, None), |endpoint| (endpoint.types, endpoint.ip_address_type));
    let Endpoint { types, ip_address_type } = rest_api::endpoint(types, ip)?;
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    Ok(RestApi {
        scope: call.caller.scope,
        id: String::new(),
        name: input.name,
        description: input.description,
        version: input.version,
        created_ms: call.now_ms,
        binary_media_types: input.binary_media_types.unwrap_or_default(),
        minimum_compression_size,
        api_key_source: rest_api::api_key_source(input.api_key_source.as_deref().unwrap_or("HEADER"))?,
        endpoint_types: types,
        ip_address_type,
        vpc_endpoint_ids: Vec::new(),
        policy: input.policy.filter(|text| !text.is_empty()).as_deref().map(policy::parse).transpose()?,
        disable_execute_api_endpoint: input.disable_execute_api_endpoint.unwrap_or_default(),
        root_resource_id: String::new(),
        tags,
    })
}

/// A new API's only resource.
pub fn root(api: &RestApi) -> Resource {
    Resource {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        id: api.root_resource_id.clone(),
        parent_id: None,
        path_part: None,
        path: "/".to_owned(),
        methods: Default::default(),
    }
}
