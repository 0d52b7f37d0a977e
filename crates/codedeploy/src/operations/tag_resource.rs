use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::tagged::Tagged;
use crate::shape::tags::{self, Tag};
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    resource_arn: String,
    tags: Vec<Tag>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let Call { caller, input, .. } = call;
    let tag = move |tx: &mut Transaction<'_>| {
        let mut found = Tagged::find(tx, &caller.scope, &input.resource_arn)?;
        if input.tags.is_empty() {
            return Err(Error::invalid("TagRequiredException", "A tag was not specified."));
        }
        tags::add(found.tags_mut(), input.tags)?;
        found.put(tx)
    };
    Ok(state.parts.store.write(tag).await?)
}
