use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    policy_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    role_name: String,
    policy_name: String,
    policy_document: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let role = find::role(&state.store, &caller.scope.account, &input.role_name)?;
    let Some(document) = role.policies.get(&input.policy_name) else {
        return Err(Error::UnknownRolePolicy(input.policy_name).into());
    };
    let policy_document = shape::encoded(document);
    Ok(Output { role_name: role.name, policy_name: input.policy_name, policy_document })
}
