use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::find::named;
use crate::{State, policy};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy: String,
}

/// A bucket's policy as it was put.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    Ok(Output { policy: policy::of(bucket)? })
}
