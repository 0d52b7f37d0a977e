use std::sync::Arc;

use pitbird_names::Account;
use pitbird_records::ManagedPolicy;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::page::Page;
use crate::policy::{Policy, Use, Uses};
use crate::shape::{self, More};
use crate::{Error, State, aws_managed};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    scope: Option<Scope>,
    only_attached: Option<bool>,
    path_prefix: Option<String>,
    policy_usage_filter: Option<UsageFilter>,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
enum Scope {
    #[default]
    All,
    #[serde(rename = "AWS")]
    Aws,
    Local,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum UsageFilter {
    PermissionsPolicy,
    PermissionsBoundary,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policies: Vec<shape::Policy>,
    #[serde(flatten)]
    more: More,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let account = &caller.scope.account;
    let uses = Uses::read(&state.store, account)?;
    let mut policies = within(&state, account, input.scope.unwrap_or_default())?;
    let prefix = input.path_prefix.unwrap_or_default();
    policies.retain(|policy| {
        let used = uses.of(&policy.arn());
        let is_used = used != Use::default() || input.only_attached != Some(true);
        let fits = match input.policy_usage_filter {
            None => true,
            Some(UsageFilter::PermissionsPolicy) => used.attachments > 0 || input.only_attached != Some(true),
            Some(UsageFilter::PermissionsBoundary) => used.boundaries > 0,
        };
        policy.record.path.starts_with(&prefix) && is_used && fits
    });
    let (policies, more) = page.cut(policies, Policy::arn).split();
    let policies = policies.into_iter().map(|policy| {
        let used = uses.of(&policy.arn());
        shape::Policy::brief(policy, used)
    });
    Ok(Output { policies: policies.collect(), more })
}

fn within(state: &State, account: &Account, scope: Scope) -> Result<Vec<Policy>, Error> {
    let mut policies = Vec::new();
    if scope != Scope::Aws {
        let own: Vec<ManagedPolicy> = Records::list(&state.store, &ManagedPolicy::prefix_of(account))?;
        policies.extend(own.into_iter().map(Policy::own));
    }
    if scope != Scope::Local {
        policies.extend(aws_managed::all(account).map(|record| Policy { is_aws: true, record }));
    }
    Ok(policies)
}
