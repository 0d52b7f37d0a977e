use std::sync::Arc;

use pitbird_records::Role;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::operations::change_role;
use crate::shape::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    policy_arn: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let change = move |role: &mut Role, _: &Transaction<'_>| {
        let attached = role.attached.iter().position(|arn| *arn == input.policy_arn);
        role.attached.remove(attached.ok_or(Error::UnknownPolicy(input.policy_arn))?);
        Ok(())
    };
    change_role(&state, caller, input.role_name, change).await?;
    Ok(Nothing {})
}
