use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::view::Nothing;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    resource: String,
    tag_keys: Vec<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let target = super::tagged(&state.store, &caller, "UntagResource", &input.resource)?;
    let remove = move |whole: &mut pitbird_records::function::WholeFunction| {
        whole.tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(())
    };
    super::change_whole(&state, target, remove).await?;
    Ok(Nothing {})
}
