use std::sync::Arc;

use pitbird_records::{HttpApi, HttpRoute};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::api::{self, Cors};
use crate::{Error, State, deployment, find, integration, route, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    api_key_selection_expression: Option<String>,
    cors_configuration: Option<Cors>,
    description: Option<String>,
    disable_execute_api_endpoint: Option<bool>,
    disable_schema_validation: Option<bool>,
    ip_address_type: Option<String>,
    name: Option<String>,
    route_key: Option<String>,
    route_selection_expression: Option<String>,
    target: Option<String>,
    version: Option<String>,
}

/// Changes an API. `target` and `routeKey` change what quick create made.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Api, Fault> {
    let entropy = state.entropy;
    let update = move |tx: &mut Transaction<'_>| {
        let Call { caller, mut input, now_ms, .. } = call;
        let mut api = find::api(tx, &caller.scope, &input.api_id)?;
        let (target, route_key) = (input.target.take(), input.route_key.take());
        let deploys = input.cors_configuration.is_some() || target.is_some() || route_key.is_some();
        apply(input, &mut api)?;
        tx.put(&api)?;
        if let Some(target) = target {
            let all = find::integrations(tx, &api)?;
            let managed = all.into_iter().find(|integration| integration.is_managed);
            let managed = managed.ok_or(Error::NotQuick("target"))?;
            let mut changed = integration::quick(&api, managed.id, &target)?;
            changed.is_managed = true;
            tx.put(&changed)?;
        }
        if let Some(key) = route_key {
            let all = find::routes(tx, &api)?;
            let key = route::check_key(&key)?;
            let is_taken = |route: &HttpRoute| !route.is_managed && route::is_same(&route.route_key, &key);
            if all.iter().any(is_taken) {
                return Err(Error::RouteExists(key));
            }
            let managed = all.into_iter().find(|route| route.is_managed);
            let mut managed = managed.ok_or(Error::NotQuick("routeKey"))?;
            managed.route_key = key;
            tx.put(&managed)?;
        }
        if deploys {
            deployment::settle(tx, &api, entropy, now_ms)?;
        }
        Ok(api)
    };
    Ok(state.store.write(update).await?.into())
}

fn apply(input: Input, api: &mut HttpApi) -> Result<(), Error> {
    if input.disable_schema_validation == Some(true) {
        return Err(Error::unsupported("disableSchemaValidation of an HTTP API"));
    }
    api::check_selections(
        input.api_key_selection_expression.as_deref(),
        input.route_selection_expression.as_deref(),
    )?;
    if let Some(expression) = input.route_selection_expression {
        api.route_selection_expression = expression;
    }
    if let Some(name) = input.name {
        api::check_name(&name)?;
        api.name = name;
    }
    if let Some(text) = input.description {
        api.description = api::description(text)?;
    }
    if let Some(text) = input.version {
        api.version = api::version(text)?;
    }
    if let Some(cors) = input.cors_configuration {
        api.cors = Some(cors.parse()?);
    }
    api.disable_execute_api_endpoint =
        input.disable_execute_api_endpoint.unwrap_or(api.disable_execute_api_endpoint);
    if let Some(kind) = input.ip_address_type {
        api.ip_address_type = kind;
    }
    Ok(())
}
