use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::State;
use crate::find::named;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    bucket_region: String,
    bucket_arn: String,
}

/// Says whether a bucket is there, and where.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let bucket_arn = format!("arn:aws:s3:::{}", bucket.name);
    Ok(Output { bucket_region: bucket.scope.region.to_string(), bucket_arn })
}
