use std::sync::Arc;

use pitbird_names::{Account, arn};
use pitbird_records::Role;
use pitbird_service::{Call, Fault};
use pitbird_store::Store;
use serde::{Deserialize, Serialize};

use crate::credentials::{self, Credentials, Grant};
use crate::trust::{self, Asking, Verdict};
use crate::{Error, State};

/// Seconds when the caller doesn't say, and at most when a role session assumes a role. Source: STS API reference.
const DURATION_S: u32 = 3600;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_arn: String,
    role_session_name: String,
    duration_seconds: Option<u32>,
    external_id: Option<String>,
    source_identity: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    credentials: Credentials,
    assumed_role_user: AssumedRoleUser,
    source_identity: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    assumed_role_id: String,
    arn: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let (account, role) = find(&state.store, &input.role_arn)?;
    let refused = || Error::NotTrusted { principal: caller.principal.clone(), role: input.role_arn.clone() };
    let role = role.ok_or_else(refused)?;
    let asking = Asking {
        principal: &caller.principal,
        external_id: input.external_id.as_deref(),
        session_name: &input.role_session_name,
        source_identity: input.source_identity.as_deref(),
    };
    match trust::judge(&role, &asking) {
        Verdict::Trusted => {}
        Verdict::NotTrusted => return Err(refused().into()),
        Verdict::Unknown(condition) => {
            let (principal, role) = (caller.principal, input.role_arn);
            return Err(Error::UnknownCondition { principal, role, condition }.into());
        }
    }
    let duration_s = duration(&role, &caller.principal, input.duration_seconds)?;
    let principal = format!("arn:aws:sts::{account}:assumed-role/{}/{}", role.name, input.role_session_name);
    let user_id = format!("{}:{}", role.id, input.role_session_name);
    let source_identity = input.source_identity;
    let assumed_role_user = AssumedRoleUser { assumed_role_id: user_id.clone(), arn: principal.clone() };
    let grant =
        Grant { account, principal, user_id, source_identity: source_identity.clone(), duration_s, now_ms };
    let credentials = credentials::make(&state, grant).await?.into();
    Ok(Output { credentials, assumed_role_user, source_identity })
}

/// The role behind an ARN, and the account it would be in.
pub fn find(store: &Store, text: &str) -> Result<(Account, Option<Role>), Error> {
    let invalid = || Error::RoleArn(text.to_owned());
    let parsed = arn::parse(text).filter(|arn| arn.service == "iam").ok_or_else(invalid)?;
    let account = Account::parse(parsed.account).ok_or_else(invalid)?;
    let named = parsed.resource.strip_prefix("role/").ok_or_else(invalid)?;
    let name = named.rsplit('/').next().unwrap_or_default();
    let role = store.get::<Role>(&Role::key_of(&account, name))?.map(|found| found.record);
    Ok((account, role.filter(|role| role.arn() == text)))
}

fn duration(role: &Role, principal: &str, asked: Option<u32>) -> Result<u32, Error> {
    let asked = asked.unwrap_or(DURATION_S);
    if principal.contains(":assumed-role/") && asked > DURATION_S {
        return Err(Error::TooLongForChain);
    }
    if asked > role.session_s_max { Err(Error::TooLong) } else { Ok(asked) }
}
