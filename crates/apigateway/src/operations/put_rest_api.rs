use std::sync::Arc;

use pitbird_openapi::rest::Mode;
use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use serde::Deserialize;

use crate::{State, find, import, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    mode: Option<String>,
    fail_on_warnings: Option<bool>,
    parameters: Option<Texts>,
    body: Blob,
}

/// Lays an OpenAPI document over an API: beside what it has, or in place of it all. Stages serve what they served until
/// the next deployment.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RestApi, Fault> {
    let Call { caller, input, .. } = call;
    let is_overwriting = input.mode.is_some_and(|mode| mode == "overwrite");
    let mode = if is_overwriting { Mode::Overwrite } else { Mode::Merge };
    let asked = import::asked(mode, input.parameters, input.fail_on_warnings)?;
    let document = import::document(&input.body)?;
    let entropy = state.entropy;
    let put = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let over = import::picture(tx, api)?;
        import::take(tx, &document, over, &asked, entropy)
    };
    let (api, warnings) = state.store.write(put).await?;
    Ok(shape::RestApi::imported(api, warnings))
}
