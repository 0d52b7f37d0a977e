use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::tagged::Tagged;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let Call { caller, input, .. } = call;
    let untag = move |tx: &mut Transaction<'_>| {
        let mut found = Tagged::find(tx, &caller.scope, &input.resource_arn)?;
        if input.tag_keys.is_empty() {
            return Err(Error::invalid("TagRequiredException", "A tag was not specified."));
        }
        input.tag_keys.iter().for_each(|key| drop(found.tags_mut().remove(key)));
        found.put(tx)
    };
    Ok(state.parts.store.write(untag).await?)
}
