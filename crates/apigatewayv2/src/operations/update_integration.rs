use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::integration::Settings;
use crate::{Error, State, deployment, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    integration_id: String,
    connection_type: Option<String>,
    description: Option<String>,
    integration_method: Option<String>,
    integration_type: Option<String>,
    integration_uri: Option<String>,
    payload_format_version: Option<String>,
    request_parameters: Option<Texts>,
    response_parameters: Option<BTreeMap<String, Texts>>,
    timeout_in_millis: Option<i64>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Integration, Fault> {
    let entropy = state.entropy;
    let update = move |tx: &mut Transaction<'_>| {
        let Call { caller, input, now_ms, .. } = call;
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let mut integration = find::integration(tx, &api, &input.integration_id)?;
        let settings = Settings {
            connection_type: input.connection_type,
            description: input.description,
            method: input.integration_method,
            kind: input.integration_type,
            uri: input.integration_uri,
            payload_format_version: input.payload_format_version,
            request_parameters: input.request_parameters,
            response_parameters: input.response_parameters,
            timeout_ms: input.timeout_in_millis,
        };
        settings.apply(&mut integration)?;
        tx.put(&integration)?;
        deployment::settle(tx, &api, entropy, now_ms)?;
        Ok::<_, Error>(integration)
    };
    Ok(state.store.write(update).await?.into())
}
