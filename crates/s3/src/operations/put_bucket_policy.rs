use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::find::named;
use crate::{State, policy, settings};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    policy: String,
    expected_bucket_owner: Option<String>,
}

/// Gives a bucket a policy in place of the one that it has, if it says nothing that would have to be ignored.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let bucket = named.find(&state.store)?;
    let text = call.input.policy;
    policy::check(&text, &bucket.name, &bucket.scope.account)?;
    settings::change(&state, named, |settings| settings.policy = Some(text)).await?;
    Ok(Nothing {})
}
