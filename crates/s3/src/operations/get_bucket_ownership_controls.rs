use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::{OWNERSHIP, OfBucket};
use crate::State;
use crate::find::named;

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
    named!(call).find(&state.store)?;
    let ownership_controls = OwnershipControls { rules: [Rule { object_ownership: OWNERSHIP }] };
    Ok(Output { ownership_controls })
}
