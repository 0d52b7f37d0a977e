use std::sync::Arc;

use pitbird_records::{DeployGroup, prefix};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::{Error, State, find, page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    application_name: String,
    deployment_groups: Vec<String>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    let application = find::application(store, &caller.scope, &input.application_name)?;
    let groups = Records::list::<DeployGroup>(store, &prefix(&caller.scope, &[&application.id]));
    let names = groups.map_err(Error::from)?.into_iter().map(|group| group.name).collect();
    let (deployment_groups, next_token) = page::cut(names, String::clone, input.next_token.as_deref())?;
    Ok(Output { application_name: application.name, deployment_groups, next_token })
}
