use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::State;
use crate::find::named;
use crate::owner::{Grant, Owner};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    owner: Owner,
    grants: [Grant; 1],
}

/// A bucket is its owner's alone.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let owner = Owner::of(&bucket.scope.account);
    Ok(Output { grants: [Grant::to(&owner)], owner })
}
