use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{State, deployment, find, import, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    basepath: Option<String>,
    body: String,
    fail_on_warnings: Option<bool>,
}

/// Puts an OpenAPI document in the place of what an API was: its routes, integrations and authorizers. Its stages,
/// deployments and id stay.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Api, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let asked = import::asked(input.basepath, input.fail_on_warnings)?;
    let document = import::document(&input.body)?;
    let entropy = state.entropy;
    let update = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let api = import::take(tx, &document, api, &asked, entropy)?;
        deployment::settle(tx, &api, entropy, now_ms)?;
        Ok::<_, crate::Error>(api)
    };
    Ok(state.store.write(update).await?.into())
}
