use std::sync::Arc;

use pitbird_records::LogGroup;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::{State, group, identifier};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let name = identifier::from_arn(&input.resource_arn, &caller.scope)?;
    let remove = move |group: &mut LogGroup| {
        group.tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(())
    };
    group::change(&state, &caller.scope, &name, remove).await?;
    Ok(Nothing {})
}
