use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::State;
use crate::find::named;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    payer: &'static str,
}

/// Who pays for requests: a bucket's owner.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    named!(call).find(&state.store)?;
    Ok(Output { payer: "BucketOwner" })
}
