use std::sync::Arc;

use pitbird_records::managed_policy::PolicyVersion;
use pitbird_records::{ManagedPolicy, Record, Texts};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::document;
use crate::id;
use crate::policy::Policy;
use crate::shape;
use crate::tags::{self, Tag};
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_name: String,
    policy_document: String,
    path: Option<String>,
    description: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy: shape::Policy,
}

/// Managed policies of an account. Source: IAM quotas.
const POLICIES_MAX: usize = 1500;

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let policy = parse(call, state.entropy)?;
    let create = move |tx: &mut pitbird_store::Transaction<'_>| {
        if tx.exists::<ManagedPolicy>(&policy.key())? {
            return Err(Error::PolicyExists(policy.name));
        }
        if tx.count::<ManagedPolicy>(&ManagedPolicy::prefix_of(&policy.account))? >= POLICIES_MAX {
            return Err(Error::Quota { what: "PoliciesPerAccount", limit: POLICIES_MAX });
        }
        tx.put(&policy)?;
        Ok(policy)
    };
    let policy = state.store.write(create).await?;
    Ok(Output { policy: shape::Policy::made(Policy::own(policy)) })
}

fn parse(call: Call<Input>, entropy: fn() -> u128) -> Result<ManagedPolicy, Error> {
    let input = call.input;
    document::check_managed(&input.policy_document)?;
    let mut tags = Texts::new();
    tags::add(&mut tags, input.tags.unwrap_or_default())?;
    Ok(ManagedPolicy {
        account: call.caller.scope.account,
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        name: input.policy_name,
        id: id::policy(entropy()),
        description: input.description,
        created_ms: call.now_ms,
        updated_ms: call.now_ms,
        default_version: 1,
        next_version: 2,
        versions: vec![PolicyVersion { number: 1, document: input.policy_document, created_ms: call.now_ms }],
        tags,
    })
}
