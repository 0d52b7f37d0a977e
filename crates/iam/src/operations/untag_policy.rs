use std::sync::Arc;

use pitbird_records::ManagedPolicy;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::operations::change_policy;
use crate::shape::Nothing;
use crate::{State, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
    tag_keys: Vec<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let change = move |policy: &mut ManagedPolicy| {
        tags::remove(&mut policy.tags, &input.tag_keys);
        Ok(())
    };
    change_policy(&state, caller, "UntagPolicy", input.policy_arn, change).await?;
    Ok(Nothing {})
}
