use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use pitbird_records::Texts;

use crate::view::Nothing;
use crate::{State, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    resource: String,
    tags: Texts,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let target = super::tagged(&state.store, &caller, "TagResource", &input.resource)?;
    let add = move |whole: &mut pitbird_records::function::WholeFunction| {
        whole.tags.extend(input.tags);
        tags::check(&whole.tags)
    };
    super::change_whole(&state, target, add).await?;
    Ok(Nothing {})
}
