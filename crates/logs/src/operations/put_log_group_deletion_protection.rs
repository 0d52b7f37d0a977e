use std::sync::Arc;

use pitbird_records::LogGroup;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::{State, group, identifier};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_identifier: String,
    deletion_protection_enabled: bool,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let name = identifier::parse(&input.log_group_identifier, &caller.scope)?;
    let set = move |group: &mut LogGroup| {
        group.is_protected = input.deletion_protection_enabled;
        Ok(())
    };
    group::change(&state, &caller.scope, &name, set).await?;
    Ok(Nothing {})
}
