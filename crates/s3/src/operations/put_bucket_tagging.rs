use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::find::named;
use crate::tags::{self, BUCKET_TAGS_MAX, Tagging};
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    tagging: Tagging,
    expected_bucket_owner: Option<String>,
}

/// Gives a bucket tags in place of those that it has.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let tags = tags::parse(call.input.tagging.tag_set, BUCKET_TAGS_MAX)?;
    let tag = move |tx: &mut Transaction<'_>| {
        let mut bucket = named.find(tx)?;
        bucket.tags = tags;
        tx.put(&bucket)?;
        Ok::<(), Error>(())
    };
    state.store.write(tag).await?;
    Ok(Nothing {})
}
