use std::sync::Arc;

use pitbird_records::{Object, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use serde::{Deserialize, Serialize};

use crate::checksum::{self, Claims, Sums, sums};
use crate::condition::Conditions;
use crate::find::named;
use crate::object::{check_key, description, quoted};
use crate::{Error, State, content, plain};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    body: Option<Blob>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    content_language: Option<String>,
    content_disposition: Option<String>,
    cache_control: Option<String>,
    expires: Option<String>,
    metadata: Option<Texts>,
    tagging: Option<String>,
    #[serde(rename = "ACL")]
    acl: Option<String>,
    server_side_encryption: Option<String>,
    storage_class: Option<String>,
    if_match: Option<String>,
    if_none_match: Option<String>,
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
    checksum_type: &'static str,
    server_side_encryption: &'static str,
}

/// Puts an object in place of what was there under its key. Durable when it returns.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let named = named!(call);
    let Call { mut input, now_ms, .. } = call;
    named.find(&state.store)?;
    check_key(&input.key)?;
    let asked = plain::Asked {
        acl: input.acl.take(),
        encryption: input.server_side_encryption.take(),
        storage_class: input.storage_class.take(),
    };
    asked.check()?;
    let description = description!(input);
    let conditions = Conditions {
        if_match: input.if_match.take(),
        if_none_match: input.if_none_match.take(),
        ..Conditions::default()
    };
    // Asked before the content is kept, so that it needn't be; what counts is the change below.
    conditions.check_write(&input.key, named.held(&state.store, &input.key)?.as_ref())?;
    let claims = Claims {
        md5: input.content_md5.take(),
        algorithm: input.checksum_algorithm.take(),
        sums: sums!(input),
    };
    let bytes = input.body.take().unwrap_or_default().0;
    let (content, examined) = content::store(&state, bytes, claims, None).await?;
    let output = Output {
        etag: quoted(&examined.etag),
        sums: examined.sums(),
        checksum_type: checksum::kind(false),
        server_side_encryption: plain::ENCRYPTION,
    };
    let object = Object {
        bucket: input.bucket,
        key: input.key,
        content,
        description,
        checksum: examined.checksum(),
        etag: examined.etag,
        modified_ms: now_ms,
        part_sizes: Vec::new(),
    };
    let put = move |tx: &mut Transaction<'_>| {
        named.find(tx)?;
        conditions.check_write(&object.key, named.held(tx, &object.key)?.as_ref())?;
        tx.put(&object)?;
        Ok::<(), Error>(())
    };
    state.store.write(put).await?;
    Ok(output)
}
