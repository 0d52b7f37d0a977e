use std::sync::Arc;

use pitbird_records::{MultipartUpload, Object};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::checksum;
use crate::find::{Records, named};
use crate::listing::{self, Encoding};
use crate::object::seconds;
use crate::owner::Owner;
use crate::{State, plain};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    prefix: Option<String>,
    key_marker: Option<String>,
    upload_id_marker: Option<String>,
    max_uploads: Option<i64>,
    encoding_type: Option<String>,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    bucket: String,
    prefix: String,
    key_marker: String,
    upload_id_marker: String,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
    max_uploads: usize,
    is_truncated: bool,
    encoding_type: Option<&'static str>,
    uploads: Vec<Upload>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    upload_id: String,
    key: String,
    initiated: f64,
    storage_class: &'static str,
    owner: Owner,
    initiator: Owner,
    checksum_algorithm: Option<String>,
    checksum_type: Option<&'static str>,
}

/// What is on its way to a bucket, by key and then by time.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let named = named!(call);
    let bucket = named.find(&state.store)?;
    let input = call.input;
    let encoding = Encoding::parse(input.encoding_type.as_deref());
    let prefix = input.prefix.unwrap_or_default();
    let key_marker = input.key_marker.unwrap_or_default();
    let id_marker = input.upload_id_marker.unwrap_or_default();
    let mut uploads: Vec<MultipartUpload> = Records::list(&state.store, &Object::key_of(&bucket.name, ""))?;
    uploads.sort_by(|one, other| order(one).cmp(&order(other)));
    // After a marker come later keys, and of its own key what comes after the upload that it names.
    let at = uploads.iter().position(|upload| upload.object_key == key_marker && upload.id == id_marker);
    let after = match at {
        Some(at) => at + 1,
        None => uploads
            .iter()
            .take_while(|upload| !key_marker.is_empty() && upload.object_key <= key_marker)
            .count(),
    };
    uploads.drain(..after);
    uploads.retain(|upload| upload.object_key.starts_with(&prefix));
    let max = listing::max("max-uploads", input.max_uploads)?;
    let is_truncated = uploads.len() > max;
    uploads.truncate(max);
    let last = uploads.last().filter(|_| is_truncated);
    let owner = Owner::of(&named.account);
    Ok(Output {
        next_key_marker: last.map(|last| encoding.write(&last.object_key)),
        next_upload_id_marker: last.map(|last| last.id.clone()),
        uploads: uploads.into_iter().map(|upload| shown(upload, encoding, &owner)).collect(),
        bucket: bucket.name,
        prefix: encoding.write(&prefix),
        key_marker: encoding.write(&key_marker),
        upload_id_marker: id_marker,
        max_uploads: max,
        is_truncated,
        encoding_type: encoding.name(),
    })
}

fn order(upload: &MultipartUpload) -> (&str, i64, &str) {
    (&upload.object_key, upload.started_ms, &upload.id)
}

fn shown(upload: MultipartUpload, encoding: Encoding, owner: &Owner) -> Upload {
    let is_asked = upload.is_algorithm_asked;
    Upload {
        upload_id: upload.id,
        key: encoding.write(&upload.object_key),
        initiated: seconds(upload.started_ms),
        storage_class: plain::STORAGE_CLASS,
        owner: owner.clone(),
        initiator: owner.clone(),
        checksum_algorithm: is_asked.then_some(upload.algorithm),
        checksum_type: is_asked.then(|| checksum::kind(upload.is_composite)),
    }
}
