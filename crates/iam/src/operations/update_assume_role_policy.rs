use std::sync::Arc;

use pitbird_records::Role;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::State;
use crate::document;
use crate::operations::change_role;
use crate::shape::Nothing;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    policy_document: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let trust = document::parse_trust(&input.policy_document)?;
    let change = move |role: &mut Role, _: &Transaction<'_>| {
        role.trust_document = input.policy_document;
        role.trust = trust;
        Ok(())
    };
    change_role(&state, caller, input.role_name, change).await?;
    Ok(Nothing {})
}
