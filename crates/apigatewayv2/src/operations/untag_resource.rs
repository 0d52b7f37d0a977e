use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::shape::Nothing;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let remove = move |present: &mut Texts| {
        present.retain(|key, _| !input.tag_keys.contains(key));
        Ok(())
    };
    super::change_tags(&state, caller.scope, &input.resource_arn, remove).await?;
    Ok(Nothing {})
}
