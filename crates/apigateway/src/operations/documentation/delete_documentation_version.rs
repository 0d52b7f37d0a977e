use std::sync::Arc;

use pitbird_records::{DocumentationVersion, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    documentation_version: String,
}

/// Deletes a version that no stage shows.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let record: DocumentationVersion =
            find::child(tx, scope, api_id, &input.documentation_version, || {
                Error::UnknownDocumentationVersion
            })?;
        let mut stages = find::stages(tx, scope, api_id)?.into_iter();
        if stages.any(|stage| stage.documentation_version.as_ref() == Some(&record.version)) {
            return Err(Error::DocumentationVersionUsed);
        }
        tx.delete::<DocumentationVersion>(&record.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
