use std::sync::Arc;

use pitbird_records::{DeployConfig, prefix};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::{Error, State, config, page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_configs_list: Vec<String>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let own = Records::list::<DeployConfig>(&state.parts.store, &prefix(&call.caller.scope, &[]));
    let own = own.map_err(Error::from)?.into_iter().map(|found| found.name);
    let mut names: Vec<String> =
        config::PREDEFINED.iter().map(|(name, _)| (*name).to_owned()).chain(own).collect();
    names.sort();
    let (deployment_configs_list, next_token) =
        page::cut(names, String::clone, call.input.next_token.as_deref())?;
    Ok(Output { deployment_configs_list, next_token })
}
