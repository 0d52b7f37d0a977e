use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{State, tags};

#[derive(Debug, Deserialize)]
pub struct Input {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(rename = "TagKeys")]
    tag_keys: Vec<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let remove = move |present: &mut Texts| {
        present.retain(|key, _| !input.tag_keys.contains(key));
        Ok(())
    };
    tags::change(&state, caller.scope, input.resource_arn, remove).await?;
    Ok(Nothing {})
}
