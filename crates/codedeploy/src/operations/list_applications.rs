use std::sync::Arc;

use pitbird_records::{DeployApplication, prefix};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::{Error, State, page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    applications: Vec<String>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let all = Records::list::<DeployApplication>(&state.parts.store, &prefix(&call.caller.scope, &[]));
    let names = all.map_err(Error::from)?.into_iter().map(|found| found.name).collect();
    let (applications, next_token) = page::cut(names, String::clone, call.input.next_token.as_deref())?;
    Ok(Output { applications, next_token })
}
