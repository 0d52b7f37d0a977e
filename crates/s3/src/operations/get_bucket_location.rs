use std::sync::Arc;

use pitbird_names::Region;
use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::State;
use crate::find::named;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    location_constraint: String,
}

/// Says where a bucket lies; the oldest region has no name there.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    let region = named!(call).find(&state.store)?.scope.region;
    let is_oldest = region == Region::default();
    Ok(Output { location_constraint: if is_oldest { String::new() } else { region.to_string() } })
}
