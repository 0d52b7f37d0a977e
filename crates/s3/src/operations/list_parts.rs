use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_wire::checksum::Algorithm;
use serde::{Deserialize, Serialize};

use crate::checksum::{self, Sums};
use crate::find::named;
use crate::object::{quoted, seconds};
use crate::owner::Owner;
use crate::{State, listing, plain};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    upload_id: String,
    part_number_marker: Option<u32>,
    max_parts: Option<i64>,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    bucket: String,
    key: String,
    upload_id: String,
    initiator: Owner,
    owner: Owner,
    storage_class: &'static str,
    part_number_marker: u32,
    next_part_number_marker: u32,
    max_parts: usize,
    is_truncated: bool,
    checksum_algorithm: Option<String>,
    checksum_type: Option<&'static str>,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    part_number: u32,
    last_modified: f64,
    #[serde(rename = "ETag")]
    etag: String,
    size: u64,
    #[serde(flatten)]
    sums: Sums,
}

/// What has come of an upload, by the parts' numbers.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let named = named!(call);
    let input = call.input;
    let upload = named.upload(&state.store, &input.key, &input.upload_id)?;
    let after = input.part_number_marker.unwrap_or(0);
    let max = listing::max("max-parts", input.max_parts)?;
    let mut parts = named.parts(&state.store, &upload.id)?;
    parts.retain(|part| part.number > after);
    let is_truncated = parts.len() > max;
    parts.truncate(max);
    let algorithm = Algorithm::parse(&upload.algorithm).unwrap_or(checksum::DEFAULT);
    let last = parts.last().map_or(0, |part| part.number);
    let owner = Owner::of(&named.account);
    let parts = parts.into_iter().map(|part| Part {
        part_number: part.number,
        last_modified: seconds(part.modified_ms),
        etag: quoted(&part.etag),
        size: part.content.size_bytes,
        sums: Sums::of(algorithm, part.checksum),
    });
    Ok(Output {
        parts: parts.collect(),
        bucket: upload.bucket,
        key: upload.object_key,
        upload_id: upload.id,
        initiator: owner.clone(),
        owner,
        storage_class: plain::STORAGE_CLASS,
        part_number_marker: after,
        next_part_number_marker: last,
        max_parts: max,
        is_truncated,
        checksum_type: upload.is_algorithm_asked.then(|| checksum::kind(upload.is_composite)),
        checksum_algorithm: upload.is_algorithm_asked.then_some(upload.algorithm),
    })
}
