use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::get_deployment_target::started;
use crate::shape::target;
use crate::{Error, State, page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_id: String,
    next_token: Option<String>,
    target_filters: Option<BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    target_ids: Vec<String>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let deployment = started(&state, &caller.scope, &input.deployment_id)?;
    let mut targets = vec![deployment.target_id()];
    for (filter, values) in input.target_filters.unwrap_or_default() {
        match &*filter {
            "TargetStatus" if values.iter().any(|value| value == target::status(&deployment)) => {}
            "TargetStatus" => targets.clear(),
            _ => {
                let words = format!("The target filter {filter} is not one of Lambda deployments.");
                return Err(Error::invalid("InvalidTargetFilterNameException", words).into());
            }
        }
    }
    let (target_ids, next_token) = page::cut(targets, String::clone, input.next_token.as_deref())?;
    Ok(Output { target_ids, next_token })
}
