use std::sync::Arc;

use pitbird_records::Role;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::State;
use crate::operations::change_role;
use crate::shape::Nothing;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    description: Option<String>,
    max_session_duration: Option<u32>,
}

/// What isn't given stays as it is.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let change = move |role: &mut Role, _: &Transaction<'_>| {
        if let Some(description) = input.description {
            role.description = Some(description);
        }
        if let Some(seconds) = input.max_session_duration {
            role.session_s_max = seconds;
        }
        Ok(())
    };
    change_role(&state, caller, input.role_name, change).await?;
    Ok(Nothing {})
}
