use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::{HttpApi, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::create_api::identify;
use crate::{State, api, import, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    basepath: Option<String>,
    body: String,
    fail_on_warnings: Option<bool>,
}

/// Makes an API of an OpenAPI document.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Api, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let asked = import::asked(input.basepath, input.fail_on_warnings)?;
    let document = import::document(&input.body)?;
    let entropy = state.entropy;
    let everywhere = state.store.snapshot();
    let create = move |tx: &mut Transaction<'_>| {
        let mut api = bare(caller.scope, now_ms);
        identify(tx, &mut api, &everywhere, entropy)?;
        import::take(tx, &document, api, &asked, entropy)
    };
    Ok(state.store.write(create).await?.into())
}

/// An API of which nothing is said yet.
fn bare(scope: Scope, now_ms: i64) -> HttpApi {
    HttpApi {
        scope,
        id: String::new(),
        name: String::new(),
        description: None,
        version: None,
        created_ms: now_ms,
        api_key_selection_expression: api::API_KEY_SELECTION.to_owned(),
        route_selection_expression: api::ROUTE_SELECTION.to_owned(),
        disable_execute_api_endpoint: false,
        ip_address_type: "ipv4".to_owned(),
        cors: None,
        tags: Texts::new(),
        import_info: Vec::new(),
    }
}
