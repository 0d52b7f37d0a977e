use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{State, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    resource_arn: String,
    tags: Option<Texts>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let add = move |present: &mut Texts| {
        present.extend(input.tags.unwrap_or_default());
        tags::check(present)
    };
    super::change_tags(&state, caller.scope, &input.resource_arn, add).await?;
    Ok(Nothing {})
}
