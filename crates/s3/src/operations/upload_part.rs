use std::sync::Arc;

use bytes::Bytes;
use pitbird_records::UploadedPart;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use pitbird_wire::checksum::Algorithm;
use serde::{Deserialize, Serialize};

use crate::checksum::{Claims, Examined, Sums, sums};
use crate::find::{Named, named};
use crate::object::quoted;
use crate::{Error, State, checksum, content, plain};

/// Source: S3 user guide, "Multipart upload limits".
const PART_NUMBER_MAX: i64 = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    upload_id: String,
    part_number: i64,
    body: Option<Blob>,
    #[serde(rename = "ContentMD5")]
    content_md5: Option<String>,
    checksum_algorithm: Option<String>,
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

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(flatten)]
    sums: Sums,
    server_side_encryption: &'static str,
}

/// Keeps one part of an object that is on its way. Durable when it returns.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let named = named!(call);
    let Call { mut input, now_ms, .. } = call;
    let claims = Claims {
        md5: input.content_md5.take(),
        algorithm: input.checksum_algorithm.take(),
        sums: sums!(input),
    };
    let bytes = input.body.take().unwrap_or_default().0;
    let place = Place { named, key: input.key, upload_id: input.upload_id, number: input.part_number };
    let examined = place.keep(&state, bytes, claims, now_ms).await?;
    let (etag, sums) = (quoted(&examined.etag), examined.sums());
    Ok(Output { etag, sums, server_side_encryption: plain::ENCRYPTION })
}

/// Where a part belongs.
pub struct Place {
    pub named: Named,
    pub key: String,
    pub upload_id: String,
    pub number: i64,
}

impl Place {
    /// Keeps the part, in place of one with the same number.
    pub async fn keep(
        self,
        state: &State,
        bytes: Bytes,
        claims: Claims,
        now_ms: i64,
    ) -> Result<Examined, Error> {
        let number = (1..=PART_NUMBER_MAX).contains(&self.number).then(|| u32::try_from(self.number));
        let Some(Ok(number)) = number else { return Err(Error::PartNumber(self.number)) };
        let upload = self.named.upload(&state.store, &self.key, &self.upload_id)?;
        let algorithm = Algorithm::parse(&upload.algorithm).unwrap_or(checksum::DEFAULT);
        if let (true, Some((claimed, _))) = (upload.is_algorithm_asked, claims.sums.clone().single()?)
            && claimed != algorithm
        {
            let (expected, found) =
                (algorithm.name().to_ascii_lowercase(), claimed.name().to_ascii_lowercase());
            return Err(Error::OtherChecksum { expected, found });
        }
        let (content, examined) = content::store(state, bytes, claims, Some(algorithm)).await?;
        let part = UploadedPart {
            bucket: upload.bucket,
            upload_id: upload.id,
            number,
            content,
            etag: examined.etag.clone(),
            checksum: examined.value.clone(),
            modified_ms: now_ms,
        };
        let keep = move |tx: &mut Transaction<'_>| {
            self.named.upload(tx, &self.key, &self.upload_id)?;
            tx.put(&part)?;
            Ok::<(), Error>(())
        };
        state.store.write(keep).await?;
        Ok(examined)
    }
}
