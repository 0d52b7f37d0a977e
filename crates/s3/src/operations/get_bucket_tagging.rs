use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::find::named;
use crate::tags::{self, Tag};
use crate::{Error, State};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tag_set: Vec<Tag>,
}

/// A bucket's tags; to have none is an error.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    if bucket.tags.is_empty() {
        return Err(Error::NotSet("NoSuchTagSet", "The TagSet does not exist", bucket.name).into());
    }
    Ok(Output { tag_set: tags::shown(&bucket.tags) })
}
