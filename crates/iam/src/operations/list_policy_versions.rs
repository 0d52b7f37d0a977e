use std::sync::Arc;

use pitbird_records::managed_policy::PolicyVersion;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::page::Page;
use crate::policy;
use crate::shape::{self, More};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    versions: Vec<shape::PolicyVersion>,
    #[serde(flatten)]
    more: More,
}

/// The newest comes first.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let policy = policy::get(&state.store, &caller.scope.account, &input.policy_arn)?.record;
    let newest_first = |version: &PolicyVersion| format!("{:010}", u32::MAX - version.number);
    let (versions, more) = page.cut(policy.versions, newest_first).split();
    let default = policy.default_version;
    let versions = versions.iter().map(|version| shape::PolicyVersion::brief(version, default));
    Ok(Output { versions: versions.collect(), more })
}
