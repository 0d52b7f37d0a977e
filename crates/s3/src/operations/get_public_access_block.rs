use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::find::named;
use crate::{Error, State};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    public_access_block_configuration: Configuration,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

/// What of public access is blocked: all, as with every new bucket of AWS, unless somebody says otherwise.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let Some(block) = bucket.settings.public_access_block else {
        let words = "The public access block configuration was not found";
        return Err(Error::NotSet("NoSuchPublicAccessBlockConfiguration", words, bucket.name).into());
    };
    let public_access_block_configuration = Configuration {
        block_public_acls: block.block_public_acls,
        ignore_public_acls: block.ignore_public_acls,
        block_public_policy: block.block_public_policy,
        restrict_public_buckets: block.restrict_public_buckets,
    };
    Ok(Output { public_access_block_configuration })
}
