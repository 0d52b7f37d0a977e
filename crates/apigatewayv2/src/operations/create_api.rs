use std::sync::Arc;

use pitbird_names::{api_id, short_id};
use pitbird_records::{HttpApi, Record, RestApi, Texts, prefix};
use pitbird_service::{Call, Fault};
use pitbird_snapshot::Snapshot;
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::api::{self, APIS_MAX, Cors, Quick};
use crate::{Error, State, deployment, shape, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    name: String,
    protocol_type: String,
    api_key_selection_expression: Option<String>,
    cors_configuration: Option<Cors>,
    credentials_arn: Option<String>,
    description: Option<String>,
    disable_execute_api_endpoint: Option<bool>,
    disable_schema_validation: Option<bool>,
    ip_address_type: Option<String>,
    route_key: Option<String>,
    route_selection_expression: Option<String>,
    tags: Option<Texts>,
    target: Option<String>,
    version: Option<String>,
}

/// Makes an API, and with a target at once all that it takes to reach that.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Api, Fault> {
    let entropy = state.entropy;
    let now_ms = call.now_ms;
    let (mut api, target, route_key) = parse(call)?;
    // An id is unique over all accounts and regions: an invoke URL names nothing else.
    let everywhere = state.store.snapshot();
    let create = move |tx: &mut Transaction<'_>| {
        identify(tx, &mut api, &everywhere, entropy)?;
        tx.put(&api)?;
        if let Some(target) = &target {
            let ids = [short_id(entropy(), 7), short_id(entropy(), 7)];
            let quick = Quick::make(&api, target, &route_key, ids, now_ms)?;
            tx.put(&quick.integration)?;
            tx.put(&quick.route)?;
            tx.put(&quick.stage)?;
            deployment::settle(tx, &api, entropy, now_ms)?;
        }
        Ok::<_, Error>(api)
    };
    Ok(state.store.write(create).await?.into())
}

/// Gives a new API an id that no other one has, if there may be one more.
pub fn identify(
    tx: &Transaction<'_>,
    api: &mut HttpApi,
    everywhere: &Snapshot,
    entropy: fn() -> u128,
) -> Result<(), Error> {
    if tx.count::<HttpApi>(&prefix(&api.scope, &[]))? >= APIS_MAX {
        return Err(Error::TooMany { what: "APIs for this account", limit: APIS_MAX });
    }
    api.id = api_id(entropy());
    while everywhere.api(&api.id).is_some()
        || everywhere.http_api(&api.id).is_some()
        || tx.exists::<HttpApi>(&api.key())?
        || tx.exists::<RestApi>(&api.key())?
    {
        api.id = api_id(entropy());
    }
    Ok(())
}

/// The API without its id, what quick create shall lead to, and by which route.
fn parse(call: Call<Input>) -> Result<(HttpApi, Option<String>, String), Error> {
    let input = call.input;
    if input.protocol_type != "HTTP" {
        return Err(Error::unsupported(format!("protocolType {}", input.protocol_type)));
    }
    if input.disable_schema_validation == Some(true) {
        return Err(Error::unsupported("disableSchemaValidation of an HTTP API"));
    }
    if input.target.is_none() && (input.route_key.is_some() || input.credentials_arn.is_some()) {
        return Err(Error::QuickWithoutTarget);
    }
    if input.credentials_arn.is_some() {
        return Err(Error::unsupported("credentialsArn"));
    }
    api::check_name(&input.name)?;
    api::check_selections(
        input.api_key_selection_expression.as_deref(),
        input.route_selection_expression.as_deref(),
    )?;
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    let api = HttpApi {
        scope: call.caller.scope,
        id: String::new(),
        name: input.name,
        description: input.description.map_or(Ok(None), api::description)?,
        version: input.version.map_or(Ok(None), api::version)?,
        created_ms: call.now_ms,
        api_key_selection_expression: api::API_KEY_SELECTION.to_owned(),
        route_selection_expression: input
            .route_selection_expression
            .unwrap_or_else(|| api::ROUTE_SELECTION.to_owned()),
        disable_execute_api_endpoint: input.disable_execute_api_endpoint.unwrap_or_default(),
        ip_address_type: input.ip_address_type.unwrap_or_else(|| "ipv4".to_owned()),
        cors: input.cors_configuration.map(Cors::parse).transpose()?,
        tags,
        import_info: Vec::new(),
    };
    Ok((api, input.target, input.route_key.unwrap_or_else(|| "$default".to_owned())))
}
