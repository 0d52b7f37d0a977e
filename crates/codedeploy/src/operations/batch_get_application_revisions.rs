use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::get_application_revision::{GenericRevisionInfo, known};
use crate::shape::revision::RevisionLocation;
use crate::{State, find, limits};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    revisions: Vec<RevisionLocation>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    application_name: String,
    /// How many of the revisions are none.
    error_message: Option<String>,
    revisions: Vec<RevisionInfo>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RevisionInfo {
    revision_location: RevisionLocation,
    generic_revision_info: GenericRevisionInfo,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    super::check_batch(input.revisions.len(), limits::BATCH_REVISIONS, "RevisionRequiredException")?;
    let application = find::application(store, &caller.scope, &input.application_name)?;
    let (mut revisions, mut unknown) = (Vec::new(), 0);
    for revision in input.revisions {
        match known(store, &application, revision)? {
            Some(found) => revisions.push(RevisionInfo {
                revision_location: RevisionLocation::from(&found.revision),
                generic_revision_info: GenericRevisionInfo::from(found),
            }),
            None => unknown += 1,
        }
    }
    let error_message = (unknown > 0).then(|| format!("{unknown} of the revisions could not be found"));
    Ok(Output { application_name: application.name, error_message, revisions })
}
