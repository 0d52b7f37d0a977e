use std::sync::Arc;

use pitbird_records::PublicAccessBlock;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::find::named;
use crate::{State, settings};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    public_access_block_configuration: Configuration,
    expected_bucket_owner: Option<String>,
}

/// What isn't named isn't blocked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    block_public_acls: Option<bool>,
    ignore_public_acls: Option<bool>,
    block_public_policy: Option<bool>,
    restrict_public_buckets: Option<bool>,
}

/// Says what of public access is blocked. There is none in any case: ACLs and policies that would give it are refused by name.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let asked = call.input.public_access_block_configuration;
    let block = PublicAccessBlock {
        block_public_acls: asked.block_public_acls.unwrap_or_default(),
        ignore_public_acls: asked.ignore_public_acls.unwrap_or_default(),
        block_public_policy: asked.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: asked.restrict_public_buckets.unwrap_or_default(),
    };
    settings::change(&state, named, move |settings| settings.public_access_block = Some(block)).await?;
    Ok(Nothing {})
}
