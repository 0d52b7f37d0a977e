use std::sync::Arc;

use pitbird_records::ManagedPolicy;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::operations::change_policy;
use crate::shape::Nothing;
use crate::tags::{self, Tag};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
    tags: Vec<Tag>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let change = move |policy: &mut ManagedPolicy| tags::add(&mut policy.tags, input.tags);
    change_policy(&state, caller, "TagPolicy", input.policy_arn, change).await?;
    Ok(Nothing {})
}
