use std::sync::Arc;

use pitbird_records::ManagedPolicy;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::operations::{change_policy, position};
use crate::shape::Nothing;
use crate::{Error, State};

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
        let at = position(policy, &arn, &input.version_id)?;
        if policy.versions[at].number == policy.default_version {
            return Err(Error::DefaultVersion);
        }
        policy.versions.remove(at);
        policy.updated_ms = now_ms;
        Ok(())
    };
    change_policy(&state, caller, "DeletePolicyVersion", input.policy_arn, change).await?;
    Ok(Nothing {})
}
