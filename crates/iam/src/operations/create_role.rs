use std::sync::Arc;

use pitbird_records::{Record, Role, Texts};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::document;
use crate::id;
use crate::policy;
use crate::shape;
use crate::tags::{self, Tag};
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    assume_role_policy_document: String,
    path: Option<String>,
    description: Option<String>,
    max_session_duration: Option<u32>,
    permissions_boundary: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    role: shape::Role,
}

/// A role session's longest duration when nothing else was said, seconds. Source: IAM API reference.
const SESSION_S_MAX: u32 = 3600;
/// Roles of an account. Source: IAM quotas.
const ROLES_MAX: usize = 1000;

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let role = parse(call, state.entropy)?;
    let create = move |tx: &mut pitbird_store::Transaction<'_>| {
        if tx.exists::<Role>(&role.key())? {
            return Err(Error::RoleExists(role.name));
        }
        if tx.count::<Role>(&Role::prefix_of(&role.account))? >= ROLES_MAX {
            return Err(Error::Quota { what: "RolesPerAccount", limit: ROLES_MAX });
        }
        if let Some(arn) = &role.permissions_boundary {
            policy::attachable(tx, &role.account, arn)?;
        }
        tx.put(&role)?;
        Ok(role)
    };
    Ok(Output { role: shape::Role::made(state.store.write(create).await?) })
}

fn parse(call: Call<Input>, entropy: fn() -> u128) -> Result<Role, Error> {
    let input = call.input;
    let trust = document::parse_trust(&input.assume_role_policy_document)?;
    let mut tags = Texts::new();
    tags::add(&mut tags, input.tags.unwrap_or_default())?;
    Ok(Role {
        account: call.caller.scope.account,
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        name: input.role_name,
        id: id::role(entropy()),
        description: input.description,
        created_ms: call.now_ms,
        trust_document: input.assume_role_policy_document,
        trust,
        session_s_max: input.max_session_duration.unwrap_or(SESSION_S_MAX),
        permissions_boundary: input.permissions_boundary,
        tags,
        policies: Texts::new(),
        attached: Vec::new(),
    })
}
