use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::{OWNERSHIP, OfBucket};
use crate::find::named;
use crate::{Error, State};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    ownership_controls: OwnershipControls,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OwnershipControls {
    rules: [Rule; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    object_ownership: &'static str,
}

/// A bucket's owner owns all that is in it; there are no ACLs.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    if !bucket.settings.has_ownership_controls {
        let words = "The bucket ownership controls were not found";
        return Err(Error::NotSet("OwnershipControlsNotFoundError", words, bucket.name).into());
    }
    let ownership_controls = OwnershipControls { rules: [Rule { object_ownership: OWNERSHIP }] };
    Ok(Output { ownership_controls })
}
