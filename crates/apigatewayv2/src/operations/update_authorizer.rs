use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::authorizer::{self, JwtConfiguration, Settings};
use crate::{Error, State, deployment, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    authorizer_id: String,
    authorizer_payload_format_version: Option<String>,
    authorizer_result_ttl_in_seconds: Option<i64>,
    authorizer_type: Option<String>,
    authorizer_uri: Option<String>,
    enable_simple_responses: Option<bool>,
    identity_source: Option<Vec<String>>,
    jwt_configuration: Option<JwtConfiguration>,
    name: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Authorizer, Fault> {
    let entropy = state.entropy;
    let update = move |tx: &mut Transaction<'_>| {
        let Call { caller, input, now_ms, .. } = call;
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let mut authorizer = find::authorizer(tx, &api, &input.authorizer_id)?;
        let settings = Settings {
            payload_format_version: input.authorizer_payload_format_version,
            result_ttl_s: input.authorizer_result_ttl_in_seconds,
            kind: input.authorizer_type,
            uri: input.authorizer_uri,
            enable_simple_responses: input.enable_simple_responses,
            identity_source: input.identity_source,
            jwt_configuration: input.jwt_configuration,
            name: input.name,
        };
        settings.apply(&mut authorizer)?;
        authorizer::check_unique(&authorizer, &find::authorizers(tx, &api)?)?;
        tx.put(&authorizer)?;
        deployment::settle(tx, &api, entropy, now_ms)?;
        Ok::<_, Error>(authorizer)
    };
    Ok(state.store.write(update).await?.into())
}
