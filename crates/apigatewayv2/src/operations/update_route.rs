use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::route::Settings;
use crate::{Error, State, deployment, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    route_id: String,
    api_key_required: Option<bool>,
    authorization_scopes: Option<Vec<String>>,
    authorization_type: Option<String>,
    authorizer_id: Option<String>,
    operation_name: Option<String>,
    route_key: Option<String>,
    target: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Route, Fault> {
    let entropy = state.entropy;
    let update = move |tx: &mut Transaction<'_>| {
        let Call { caller, input, now_ms, .. } = call;
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let mut route = find::route(tx, &api, &input.route_id)?;
        let settings = Settings {
            api_key_required: input.api_key_required,
            authorization_scopes: input.authorization_scopes,
            authorization_type: input.authorization_type,
            authorizer_id: input.authorizer_id,
            operation_name: input.operation_name,
            route_key: input.route_key,
            target: input.target,
        };
        settings.apply(tx, &api, &mut route)?;
        tx.put(&route)?;
        deployment::settle(tx, &api, entropy, now_ms)?;
        Ok::<_, Error>(route)
    };
    Ok(state.store.write(update).await?.into())
}
