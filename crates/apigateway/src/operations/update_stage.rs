use std::sync::Arc;

use pitbird_records::{ClientCertificate, Deployment, DocumentationVersion, key};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::patch::PatchOperation;
use crate::stage::patch::{Surroundings, apply};
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    stage_name: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

/// Changes a stage, by all operations or by none.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Stage, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let update = move |tx: &mut pitbird_store::Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let mut stage = find::stage(tx, &api.scope, &api.id, &input.stage_name)?;
        let has_logging_role = find::account(tx, &api.scope)?.cloudwatch_role_arn.is_some();
        let deployment_exists = |id: &str| Ok(tx.exists::<Deployment>(&key(&api.scope, &[&api.id, id]))?);
        let certificate_exists = |id: &str| Ok(tx.exists::<ClientCertificate>(&key(&api.scope, &[id]))?);
        let documentation_exists =
            |version: &str| Ok(tx.exists::<DocumentationVersion>(&key(&api.scope, &[&api.id, version]))?);
        let around = Surroundings {
            deployment_exists: &deployment_exists,
            certificate_exists: &certificate_exists,
            documentation_exists: &documentation_exists,
            has_logging_role,
        };
        apply(&mut stage, input.patch_operations.as_deref(), &around)?;
        stage.updated_ms = now_ms;
        tx.put(&stage)?;
        Ok::<_, Error>(stage)
    };
    Ok(state.store.write(update).await?.into())
}
