use std::sync::Arc;

use pitbird_records::{Record, Role};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut pitbird_store::Transaction<'_>| {
        let role = find::role(tx, &caller.scope.account, &input.role_name)?;
        if !role.attached.is_empty() {
            return Err(Error::RoleHasAttachments);
        }
        if !role.policies.is_empty() {
            return Err(Error::RoleHasPolicies);
        }
        tx.delete::<Role>(&role.key())?;
        Ok(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
