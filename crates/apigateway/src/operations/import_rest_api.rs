use std::sync::Arc;

use pitbird_openapi::rest::Mode;
use pitbird_records::{Resource, RestApi, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use serde::Deserialize;

use super::create_rest_api::{identify, root};
use crate::{State, import, model, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    fail_on_warnings: Option<bool>,
    parameters: Option<Texts>,
    body: Blob,
}

/// Makes an API of an OpenAPI document.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RestApi, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let asked = import::asked(Mode::Merge, input.parameters, input.fail_on_warnings)?;
    let document = import::document(&input.body)?;
    let entropy = state.entropy;
    let everywhere = state.store.snapshot();
    let create = move |tx: &mut Transaction<'_>| {
        let mut api = bare(caller.scope, now_ms);
        identify(tx, &mut api, &everywhere, entropy)?;
        let resources: Vec<Resource> = vec![root(&api)];
        let mut over = import::picture(tx, api)?;
        tx.put(&over.api)?;
        for record in &resources {
            tx.put(record)?;
        }
        for record in model::defaults(&over.api, entropy) {
            tx.put(&record)?;
            over.models.push(record);
        }
        over.resources = resources;
        import::take(tx, &document, over, &asked, entropy)
    };
    let (api, warnings) = state.store.write(create).await?;
    Ok(shape::RestApi::imported(api, warnings))
}

/// An API of which nothing is said yet.
fn bare(scope: pitbird_names::Scope, now_ms: i64) -> RestApi {
    RestApi {
        scope,
        id: String::new(),
        name: String::new(),
        description: None,
        version: None,
        created_ms: now_ms,
        binary_media_types: Vec::new(),
        minimum_compression_size: None,
        api_key_source: "HEADER".to_owned(),
        endpoint_types: vec!["EDGE".to_owned()],
        ip_address_type: "ipv4".to_owned(),
        vpc_endpoint_ids: Vec::new(),
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: String::new(),
        tags: Texts::new(),
    }
}
