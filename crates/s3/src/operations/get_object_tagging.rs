use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfObject;
use crate::find::named;
use crate::tags::{self, Tag};
use crate::{State, plain};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tag_set: Vec<Tag>,
}

/// An object's tags.
pub async fn run(state: Arc<State>, call: Call<OfObject>) -> Result<Output, Fault> {
    plain::check_version(call.input.version_id.as_deref())?;
    let object = named!(call).object(&state.store, &call.input.key)?;
    Ok(Output { tag_set: tags::shown(&object.description.tags) })
}
