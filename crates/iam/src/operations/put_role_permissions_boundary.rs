use std::sync::Arc;

use pitbird_records::Role;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::State;
use crate::operations::change_role;
use crate::policy;
use crate::shape::Nothing;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    permissions_boundary: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let change = move |role: &mut Role, tx: &Transaction<'_>| {
        policy::attachable(tx, &role.account, &input.permissions_boundary)?;
        role.permissions_boundary = Some(input.permissions_boundary);
        Ok(())
    };
    change_role(&state, caller, input.role_name, change).await?;
    Ok(Nothing {})
}
