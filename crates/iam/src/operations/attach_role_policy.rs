use std::sync::Arc;

use pitbird_records::Role;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::operations::change_role;
use crate::policy;
use crate::shape::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    policy_arn: String,
}

/// Managed policies of one role. Source: IAM quotas.
const ATTACHED_MAX: usize = 10;

/// Attaching again what is attached changes nothing.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let change = move |role: &mut Role, tx: &Transaction<'_>| {
        policy::attachable(tx, &role.account, &input.policy_arn)?;
        if role.attached.contains(&input.policy_arn) {
            return Ok(());
        }
        if role.attached.len() >= ATTACHED_MAX {
            return Err(Error::Quota { what: "PoliciesPerRole", limit: ATTACHED_MAX });
        }
        role.attached.push(input.policy_arn);
        Ok(())
    };
    change_role(&state, caller, input.role_name, change).await?;
    Ok(Nothing {})
}
