use std::sync::Arc;

use pitbird_records::{self as records, DocumentationPart};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::documentation::{self, PARTS_MAX};
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    location: Location,
    properties: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(rename = "type")]
    kind: String,
    path: Option<String>,
    method: Option<String>,
    status_code: Option<String>,
    name: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DocumentationPart, Fault> {
    let Call { caller, input, .. } = call;
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (caller.scope, input.rest_api_id);
        let parts: Vec<DocumentationPart> = find::children(tx, &scope, &api_id)?;
        if parts.len() >= PARTS_MAX {
            return Err(Error::TooMany { what: "documentation parts for this API", limit: PARTS_MAX });
        }
        let Location { kind, path, method, status_code, name } = input.location;
        let mut location = records::DocumentationLocation { kind, path, method, status_code, name };
        documentation::settle(&mut location)?;
        documentation::check_single(&location, &parts)?;
        documentation::check_properties(&input.properties)?;
        let id = find::unused_id::<DocumentationPart>(tx, &scope, &[&api_id], 6, entropy)?;
        let part = DocumentationPart { scope, api_id, id, location, properties: input.properties };
        tx.put(&part)?;
        Ok(part)
    };
    Ok(state.store.write(create).await?.into())
}
