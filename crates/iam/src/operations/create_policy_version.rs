use std::sync::Arc;

use pitbird_records::ManagedPolicy;
use pitbird_records::managed_policy::PolicyVersion;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::document;
use crate::operations::change_policy;
use crate::shape;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
    policy_document: String,
    set_as_default: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_version: shape::PolicyVersion,
}

/// Versions of one policy. Source: IAM quotas.
const VERSIONS_MAX: usize = 5;

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    document::check_managed(&input.policy_document)?;
    let change = move |policy: &mut ManagedPolicy| {
        if policy.versions.len() >= VERSIONS_MAX {
            return Err(Error::TooManyVersions);
        }
        let number = policy.next_version;
        policy.next_version += 1;
        policy.updated_ms = now_ms;
        if input.set_as_default == Some(true) {
            policy.default_version = number;
        }
        policy.versions.push(PolicyVersion { number, document: input.policy_document, created_ms: now_ms });
        Ok(())
    };
    let policy = change_policy(&state, caller, "CreatePolicyVersion", input.policy_arn, change).await?;
    let made = policy.versions.last().expect("one was just pushed");
    Ok(Output { policy_version: shape::PolicyVersion::brief(made, policy.default_version) })
}
