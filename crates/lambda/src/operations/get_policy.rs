use std::sync::Arc;

use pitbird_names::Qualifier;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State, Target, find, policy, revision};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    /// JSON text.
    policy: String,
    revision_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let target =
        Target::parse(&state.store, &caller, "GetPolicy", &input.function_name, input.qualifier.as_deref())?;
    find::version(&state.store, &target)?;
    let found = match target.qualifier == Some(Qualifier::LATEST) {
        true => None,
        false => find::policy(&state.store, &target)?,
    };
    let found = found.ok_or(Error::UnknownResource)?;
    let revision_id = revision::of(&state.store, &target)?;
    Ok(Output { policy: policy::document(&found, &target.arn()), revision_id })
}
