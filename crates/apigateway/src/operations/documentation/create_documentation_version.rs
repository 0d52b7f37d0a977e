use std::sync::Arc;

use pitbird_records::DocumentationVersion;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::documentation::{self, VERSIONS_MAX};
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    documentation_version: String,
    stage_name: Option<String>,
    description: Option<String>,
}

/// Freezes all parts as they are, on demand for a stage to show.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DocumentationVersion, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let create = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (caller.scope, input.rest_api_id);
        let versions: Vec<DocumentationVersion> = find::children(tx, &scope, &api_id)?;
        documentation::check_version(&input.documentation_version)?;
        if versions.iter().any(|version| version.version == input.documentation_version) {
            return Err(Error::DocumentationVersionExists);
        }
        if versions.len() >= VERSIONS_MAX {
            return Err(Error::TooMany { what: "documentation versions for this API", limit: VERSIONS_MAX });
        }
        let version = DocumentationVersion {
            parts: find::children(tx, &scope, &api_id)?,
            scope,
            api_id,
            version: input.documentation_version,
            description: input.description.filter(|text| !text.is_empty()),
            created_ms: now_ms,
        };
        if let Some(name) = input.stage_name.filter(|name| !name.is_empty()) {
            let mut stage = find::stage(tx, &version.scope, &version.api_id, &name)?;
            stage.documentation_version = Some(version.version.clone());
            stage.updated_ms = now_ms;
            tx.put(&stage)?;
        }
        tx.put(&version)?;
        Ok(version)
    };
    Ok(state.store.write(create).await?.into())
}
