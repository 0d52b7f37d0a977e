use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfObject;
use crate::find::named;
use crate::owner::{Grant, Owner};
use crate::{State, plain};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    owner: Owner,
    grants: [Grant; 1],
}

/// An object is its bucket's owner's alone.
pub async fn run(state: Arc<State>, call: Call<OfObject>) -> Result<Output, Fault> {
    let named = named!(call);
    plain::check_version(call.input.version_id.as_deref())?;
    named.object(&state.store, &call.input.key)?;
    let owner = Owner::of(&named.account);
    Ok(Output { grants: [Grant::to(&owner)], owner })
}
