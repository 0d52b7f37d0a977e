use std::sync::Arc;

use pitbird_records::LogPolicy;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State, page};

/// Policies on a page. Source: DescribeResourcePolicies.
const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    policy_scope: Option<String>,
    next_token: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    resource_policies: Vec<Described>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    policy_name: String,
    policy_document: String,
    last_updated_time: i64,
    policy_scope: &'static str,
}

/// Policies of the account, by name; single resources have none here.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let found = state.store.list::<LogPolicy>(&LogPolicy::prefix_of(&caller.scope)).map_err(Error::from)?;
    let is_wanted = input.policy_scope.as_deref().is_none_or(|scope| scope == "ACCOUNT");
    let policies: Vec<LogPolicy> =
        found.into_iter().filter(|_| is_wanted).map(|found| found.record).collect();
    let limit = input.limit.map_or(LIMIT, |limit| limit as usize);
    let (policies, next_token) =
        page::cut(policies, input.next_token.as_deref(), limit, |policy| &policy.name)?;
    Ok(Output { resource_policies: policies.into_iter().map(Described::from).collect(), next_token })
}

impl From<LogPolicy> for Described {
    fn from(policy: LogPolicy) -> Described {
        Described {
            policy_name: policy.name,
            policy_document: policy.document,
            last_updated_time: policy.updated_ms,
            policy_scope: "ACCOUNT",
        }
    }
}
