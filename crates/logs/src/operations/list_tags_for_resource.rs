use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{State, group, identifier};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    resource_arn: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    tags: Texts,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let name = identifier::from_arn(&input.resource_arn, &caller.scope)?;
    Ok(Output { tags: group::find(&state, &caller.scope, &name).await?.tags })
}
