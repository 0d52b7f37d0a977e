use std::sync::Arc;

use pitbird_records::ManagedPolicy;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::operations::{change_policy, position};
use crate::shape::Nothing;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
    version_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let arn = input.policy_arn.clone();
    let change = move |policy: &mut ManagedPolicy| {
        policy.default_version = policy.versions[position(policy, &arn, &input.version_id)?].number;
        policy.updated_ms = now_ms;
        Ok(())
    };
    change_policy(&state, caller, "SetDefaultPolicyVersion", input.policy_arn, change).await?;
    Ok(Nothing {})
}
