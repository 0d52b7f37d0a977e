use std::sync::Arc;

use pitbird_records::{DeployApplication, DeployRevision, key};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::shape::revision::RevisionLocation;
use crate::{Error, State, find, revisions, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    revision: RevisionLocation,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    application_name: String,
    revision: RevisionLocation,
    revision_info: GenericRevisionInfo,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GenericRevisionInfo {
    description: Option<String>,
    deployment_groups: Vec<String>,
    first_used_time: Option<f64>,
    last_used_time: Option<f64>,
    register_time: f64,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    let application = find::application(store, &caller.scope, &input.application_name)?;
    let found = known(store, &application, input.revision)?.ok_or(Error::UnknownRevision)?;
    Ok(Output {
        application_name: application.name,
        revision: RevisionLocation::from(&found.revision),
        revision_info: GenericRevisionInfo::from(found),
    })
}

pub fn known(
    records: &impl Records,
    application: &DeployApplication,
    revision: RevisionLocation,
) -> Result<Option<DeployRevision>, Error> {
    let digest = revisions::digest(&revision.parse()?);
    Ok(records.get(&key(&application.scope, &[&application.id, &digest]))?)
}

impl From<DeployRevision> for GenericRevisionInfo {
    fn from(revision: DeployRevision) -> GenericRevisionInfo {
        GenericRevisionInfo {
            description: revision.description,
            deployment_groups: revision.groups,
            first_used_time: revision.first_used_ms.map(shape::seconds),
            last_used_time: revision.last_used_ms.map(shape::seconds),
            register_time: shape::seconds(revision.registered_ms),
        }
    }
}
