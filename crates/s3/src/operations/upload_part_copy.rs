use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::upload_part::Place;
use crate::checksum::{Claims, Sums};
use crate::condition::Conditions;
use crate::copy_source::CopySource;
use crate::find::named;
use crate::object::{quoted, seconds};
use crate::{Error, State, content, plain, range};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    upload_id: String,
    part_number: i64,
    copy_source: String,
    copy_source_range: Option<String>,
    copy_source_if_match: Option<String>,
    copy_source_if_none_match: Option<String>,
    copy_source_if_modified_since: Option<f64>,
    copy_source_if_unmodified_since: Option<f64>,
    expected_bucket_owner: Option<String>,
    expected_source_bucket_owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    copy_part_result: CopyPartResult,
    server_side_encryption: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CopyPartResult {
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: f64,
    #[serde(flatten)]
    sums: Sums,
}

/// Makes a part of what another object holds.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let named = named!(call);
    let Call { input, now_ms, .. } = call;
    let source = CopySource::parse(&input.copy_source)?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let of_source = source.named(&named, input.expected_source_bucket_owner);
    let object = of_source.object(&state.store, &source.key)?;
    conditions.check_source(&object)?;
    let range = match input.copy_source_range {
        None => None,
        Some(header) => {
            let range = range::parse(&header, object.content.size_bytes)?;
            Some(range.ok_or(Error::Argument {
                name: "x-amz-copy-source-range",
                value: header,
                message: "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
                          zero-based offsets of the first and last bytes to copy",
            })?)
        }
    };
    let bytes = content::read(&state, &object.content, range).await?;
    let place = Place { named, key: input.key, upload_id: input.upload_id, number: input.part_number };
    let examined = place.keep(&state, bytes, Claims::default(), now_ms).await?;
    let copy_part_result = CopyPartResult {
        etag: quoted(&examined.etag),
        last_modified: seconds(now_ms),
        sums: examined.sums(),
    };
    Ok(Output { copy_part_result, server_side_encryption: plain::ENCRYPTION })
}
