use std::sync::Arc;

use pitbird_records::Role;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::State;
use crate::operations::change_role;
use crate::shape;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    description: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    role: shape::Role,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let change = move |role: &mut Role, _: &Transaction<'_>| {
        role.description = Some(input.description);
        Ok(())
    };
    let role = change_role(&state, caller, input.role_name, change).await?;
    Ok(Output { role: shape::Role::whole(role) })
}
