use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::{DocumentationPart, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use serde::{Deserialize, Serialize};

use crate::documentation::import::{self, Part};
use crate::documentation::{self, PARTS_MAX};
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    mode: Option<String>,
    fail_on_warnings: Option<bool>,
    body: Blob,
}

#[derive(Debug, Serialize)]
pub struct Output {
    ids: Vec<String>,
    warnings: Vec<String>,
}

/// Takes the parts over that an OpenAPI document describes: beside those that there are, or in place of them all. A part
/// that can't be taken over is a warning, and on demand a reason to change nothing. So is in any case a document of which
/// no part can be read where it would take the place of all.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let (described, warnings) = import::parse(&input.body.0)?;
    let is_overwriting = input.mode.is_some_and(|mode| mode == "overwrite");
    let fails = input.fail_on_warnings.unwrap_or_default();
    if let Some(warning) = warnings.first().filter(|_| fails || is_overwriting && described.is_empty()) {
        return Err(Error::DocumentationImport(warning.clone()).into());
    }
    let entropy = state.entropy;
    let import = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (caller.scope, input.rest_api_id);
        find::api(tx, &scope, &api_id)?;
        if is_overwriting {
            tx.delete_all::<DocumentationPart>(&prefix(&scope, &[&api_id]))?;
        }
        let mut output = Output { ids: Vec::new(), warnings };
        for part in described {
            match take_over(tx, &scope, &api_id, part, entropy) {
                Ok(id) => output.ids.push(id),
                Err(error @ (Error::Store(_) | Error::TooMany { .. })) => return Err(error),
                Err(error) if fails => return Err(Error::DocumentationImport(error.to_string())),
                Err(error) => output.warnings.push(error.to_string()),
            }
        }
        Ok(output)
    };
    Ok(state.store.write(import).await?)
}

/// A part that describes what another one did takes its place.
fn take_over(
    tx: &mut Transaction<'_>,
    scope: &Scope,
    api_id: &str,
    part: Part,
    entropy: fn() -> u128,
) -> Result<String, Error> {
    let (mut location, properties) = part;
    documentation::settle(&mut location)?;
    documentation::check_properties(&properties)?;
    let parts: Vec<DocumentationPart> = find::children(tx, scope, api_id)?;
    let id = match parts.iter().find(|part| part.location == location) {
        Some(known) => known.id.clone(),
        None if parts.len() >= PARTS_MAX => {
            return Err(Error::TooMany { what: "documentation parts for this API", limit: PARTS_MAX });
        }
        None => find::unused_id::<DocumentationPart>(tx, scope, &[api_id], 6, entropy)?,
    };
    let (scope, api_id) = (scope.clone(), api_id.to_owned());
    tx.put(&DocumentationPart { scope, api_id, id: id.clone(), location, properties })?;
    Ok(id)
}
