use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::operations::position;
use crate::policy;
use crate::shape;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
    version_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_version: shape::PolicyVersion,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let policy = policy::get(&state.store, &caller.scope.account, &input.policy_arn)?.record;
    let version = &policy.versions[position(&policy, &input.policy_arn, &input.version_id)?];
    Ok(Output { policy_version: shape::PolicyVersion::whole(version, policy.default_version) })
}
