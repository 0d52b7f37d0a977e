use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::find::named;
use crate::tags::{self, OBJECT_TAGS_MAX, Tagging};
use crate::{Error, State, plain};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    version_id: Option<String>,
    tagging: Tagging,
    expected_bucket_owner: Option<String>,
}

/// Gives an object tags in place of those that it has.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let Input { key, version_id, tagging, .. } = call.input;
    plain::check_version(version_id.as_deref())?;
    let tags = tags::parse(tagging.tag_set, OBJECT_TAGS_MAX)?;
    let tag = move |tx: &mut Transaction<'_>| {
        let mut object = named.object(tx, &key)?;
        object.description.tags = tags;
        tx.put(&object)?;
        Ok::<(), Error>(())
    };
    state.store.write(tag).await?;
    Ok(Nothing {})
}
