use std::sync::Arc;

use pitbird_records::{MultipartUpload, UploadedPart};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::find::named;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    upload_id: String,
    expected_bucket_owner: Option<String>,
}

/// Ends an upload and forgets what has come of it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let Input { key, upload_id, .. } = call.input;
    let abort = move |tx: &mut Transaction<'_>| {
        let upload = named.upload(tx, &key, &upload_id)?;
        tx.delete::<MultipartUpload>(&MultipartUpload::key_of(&upload.bucket, &upload.id))?;
        tx.delete_all::<UploadedPart>(&UploadedPart::prefix_of(&upload.bucket, &upload.id))?;
        Ok::<(), Error>(())
    };
    state.store.write(abort).await?;
    Ok(Nothing {})
}
