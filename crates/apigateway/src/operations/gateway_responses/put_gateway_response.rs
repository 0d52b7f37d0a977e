use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::{GatewayResponse, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, find, gateway_response, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    response_type: String,
    status_code: Option<String>,
    response_parameters: Option<Texts>,
    response_templates: Option<BTreeMap<String, Option<String>>>,
}

/// Puts an API's own form of an answer, in place of the default or of one that was put before.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::GatewayResponse, Fault> {
    let Call { caller, input, .. } = call;
    let put = move |tx: &mut Transaction<'_>| {
        find::api(tx, &caller.scope, &input.rest_api_id)?;
        let templates = input.response_templates.unwrap_or_default().into_iter();
        let response = GatewayResponse {
            scope: caller.scope,
            api_id: input.rest_api_id,
            response_type: input.response_type,
            status_code: input.status_code.filter(|status| !status.is_empty()),
            response_parameters: input.response_parameters.unwrap_or_default(),
            response_templates: templates.map(|(media, text)| (media, text.unwrap_or_default())).collect(),
        };
        gateway_response::check(&response)?;
        tx.put(&response)?;
        Ok::<_, Error>(response)
    };
    Ok(shape::GatewayResponse::new(state.store.write(put).await?, false))
}
