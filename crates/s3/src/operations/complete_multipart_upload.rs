use std::sync::Arc;

use pitbird_records::object::Content;
use pitbird_records::{MultipartUpload, Object, UploadedPart};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::checksum::{Algorithm, Digest};
use serde::{Deserialize, Serialize};

use crate::assembly::{self, Listed};
use crate::checksum::{self, Sums, sums};
use crate::condition::Conditions;
use crate::find::{Named, named};
use crate::object::quoted;
use crate::{Error, State, plain};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    upload_id: String,
    multipart_upload: Option<CompletedUpload>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    mpu_object_size: Option<u64>,
    checksum_type: Option<String>,
    #[serde(rename = "ChecksumCRC32")]
    checksum_crc32: Option<String>,
    #[serde(rename = "ChecksumCRC32C")]
    checksum_crc32c: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    checksum_crc64nvme: Option<String>,
    #[serde(rename = "ChecksumSHA1")]
    checksum_sha1: Option<String>,
    #[serde(rename = "ChecksumSHA256")]
    checksum_sha256: Option<String>,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CompletedUpload {
    parts: Option<Vec<CompletedPart>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CompletedPart {
    part_number: Option<i64>,
    #[serde(rename = "ETag")]
    etag: Option<String>,
    #[serde(rename = "ChecksumCRC32")]
    checksum_crc32: Option<String>,
    #[serde(rename = "ChecksumCRC32C")]
    checksum_crc32c: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    checksum_crc64nvme: Option<String>,
    #[serde(rename = "ChecksumSHA1")]
    checksum_sha1: Option<String>,
    #[serde(rename = "ChecksumSHA256")]
    checksum_sha256: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    location: String,
    bucket: String,
    key: String,
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(flatten)]
    sums: Sums,
    checksum_type: &'static str,
    server_side_encryption: &'static str,
}

/// Makes the object of its parts. Durable when it returns.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let named = named!(call);
    let Call { mut input, now_ms, endpoint, .. } = call;
    let upload = named.upload(&state.store, &input.key, &input.upload_id)?;
    if input.checksum_type.as_deref().is_some_and(|kind| kind != checksum::kind(upload.is_composite)) {
        let (kind, algorithm) = (input.checksum_type.unwrap_or_default(), upload.algorithm);
        return Err(Error::ChecksumType { kind, algorithm: algorithm.to_ascii_lowercase() }.into());
    }
    let listed = input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
    let listed = listed.into_iter().map(listed_part).collect::<Result<_, _>>()?;
    let parts = assembly::choose(&upload, named.parts(&state.store, &upload.id)?, listed)?;
    let size_bytes: u64 = parts.iter().map(|part| part.content.size_bytes).sum();
    if let Some(announced) = input.mpu_object_size.filter(|announced| *announced != size_bytes) {
        let message = "The provided 'x-amz-mp-object-size' header value does not match the size of the parts";
        return Err(
            Error::Argument { name: "x-amz-mp-object-size", value: announced.to_string(), message }.into()
        );
    }
    let names = parts.iter().map(|part| part.content.sha256_hex.clone()).collect();
    let digest = Digest::new(Algorithm::parse(&upload.algorithm).unwrap_or(checksum::DEFAULT));
    let joined = state.store.join_blobs(names, digest, Digest::update).await;
    let (sha256_hex, digest) = joined.map_err(Error::from)?;
    let checksum = assembly::checksum(&upload, &parts, digest, sums!(input))?;
    let object = Object {
        bucket: upload.bucket.clone(),
        key: upload.object_key.clone(),
        content: Content { sha256_hex, size_bytes },
        description: upload.description.clone(),
        etag: assembly::etag(&parts),
        modified_ms: now_ms,
        checksum,
        part_sizes: parts.iter().map(|part| part.content.size_bytes).collect(),
    };
    let conditions = Conditions {
        if_match: input.if_match.take(),
        if_none_match: input.if_none_match.take(),
        ..Conditions::default()
    };
    let shown = object.clone();
    state.store.write(move |tx| finish(tx, &named, &upload, &object, &conditions)).await?;
    Ok(Output {
        location: format!("{endpoint}/{}/{}", shown.bucket, shown.key),
        etag: quoted(&shown.etag),
        sums: Sums::shown(&shown.checksum),
        checksum_type: checksum::kind(shown.checksum.is_composite),
        server_side_encryption: plain::ENCRYPTION,
        bucket: shown.bucket,
        key: shown.key,
    })
}

fn listed_part(mut part: CompletedPart) -> Result<Listed, Error> {
    let (Some(number), Some(etag)) = (part.part_number, part.etag.take()) else {
        return Err(Error::MalformedXml);
    };
    Ok(Listed { number, etag, sums: sums!(part) })
}

/// Puts the object and ends the upload, which may have been ended meanwhile.
fn finish(
    tx: &mut Transaction<'_>,
    named: &Named,
    upload: &MultipartUpload,
    object: &Object,
    conditions: &Conditions,
) -> Result<(), Error> {
    named.upload(tx, &upload.object_key, &upload.id)?;
    conditions.check_write(&object.key, named.held(tx, &object.key)?.as_ref())?;
    tx.put(object)?;
    tx.delete::<MultipartUpload>(&MultipartUpload::key_of(&upload.bucket, &upload.id))?;
    tx.delete_all::<UploadedPart>(&UploadedPart::prefix_of(&upload.bucket, &upload.id))?;
    Ok(())
}
