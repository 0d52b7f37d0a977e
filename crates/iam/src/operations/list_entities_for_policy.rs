use std::sync::Arc;

use pitbird_records::Record;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::policy;
use crate::shape::{More, Nothing};
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
    entity_filter: Option<String>,
    path_prefix: Option<String>,
    policy_usage_filter: Option<UsageFilter>,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum UsageFilter {
    PermissionsPolicy,
    PermissionsBoundary,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_groups: Vec<Nothing>,
    policy_users: Vec<Nothing>,
    policy_roles: Vec<PolicyRole>,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyRole {
    role_name: String,
    role_id: String,
}

/// Only roles have policies: there are no groups, and no users that could have any.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let account = &caller.scope.account;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    policy::get(&state.store, account, &input.policy_arn)?;
    let mut roles = find::roles(&state.store, account)?;
    let prefix = input.path_prefix.unwrap_or_default();
    let takes_roles = matches!(input.entity_filter.as_deref(), None | Some("Role"));
    roles.retain(|role| {
        let is_attached = role.attached.contains(&input.policy_arn);
        let is_boundary = role.permissions_boundary.as_ref() == Some(&input.policy_arn);
        let is_user = match input.policy_usage_filter {
            None => is_attached || is_boundary,
            Some(UsageFilter::PermissionsPolicy) => is_attached,
            Some(UsageFilter::PermissionsBoundary) => is_boundary,
        };
        takes_roles && is_user && role.path.starts_with(&prefix)
    });
    let (roles, more) = page.cut(roles, |role| role.key()).split();
    let roles = roles.into_iter().map(|role| PolicyRole { role_name: role.name, role_id: role.id });
    Ok(Output { policy_groups: Vec::new(), policy_users: Vec::new(), policy_roles: roles.collect(), more })
}
