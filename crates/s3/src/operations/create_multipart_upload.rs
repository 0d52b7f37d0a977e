use std::sync::Arc;

use pitbird_records::{MultipartUpload, Object, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::checksum::Algorithm;
use serde::{Deserialize, Serialize};

use crate::find::named;
use crate::object::{check_key, description};
use crate::{Error, State, checksum, plain};

/// Uploads of one bucket that are on their way; AWS has no such bound.
const UPLOADS_MAX: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
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
    checksum_algorithm: Option<String>,
    checksum_type: Option<String>,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    bucket: String,
    key: String,
    upload_id: String,
    checksum_algorithm: Option<String>,
    checksum_type: Option<&'static str>,
    server_side_encryption: &'static str,
}

/// Begins an object that will come in parts.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let named = named!(call);
    let Call { mut input, now_ms, .. } = call;
    check_key(&input.key)?;
    let asked = plain::Asked {
        acl: input.acl.take(),
        encryption: input.server_side_encryption.take(),
        storage_class: input.storage_class.take(),
    };
    asked.check()?;
    let description = description!(input);
    let algorithm = algorithm(input.checksum_algorithm.as_deref())?;
    let is_composite = is_composite(algorithm, input.checksum_type.as_deref())?;
    let is_algorithm_asked = input.checksum_algorithm.is_some();
    let upload = MultipartUpload {
        bucket: input.bucket,
        id: format!("{:032x}{:032x}", (state.entropy)(), (state.entropy)()),
        object_key: input.key,
        started_ms: now_ms,
        description,
        algorithm: algorithm.name().to_owned(),
        is_composite,
        is_algorithm_asked,
    };
    let output = Output {
        bucket: upload.bucket.clone(),
        key: upload.object_key.clone(),
        upload_id: upload.id.clone(),
        checksum_algorithm: is_algorithm_asked.then(|| upload.algorithm.clone()),
        checksum_type: is_algorithm_asked.then(|| checksum::kind(is_composite)),
        server_side_encryption: plain::ENCRYPTION,
    };
    let begin = move |tx: &mut Transaction<'_>| {
        named.find(tx)?;
        if tx.count::<MultipartUpload>(&Object::key_of(&upload.bucket, ""))? >= UPLOADS_MAX {
            return Err(Error::SlowDown);
        }
        tx.put(&upload)?;
        Ok(())
    };
    state.store.write(begin).await?;
    Ok(output)
}

fn algorithm(asked: Option<&str>) -> Result<Algorithm, Error> {
    match asked {
        None => Ok(checksum::DEFAULT),
        Some(name) => {
            Algorithm::parse(name).ok_or_else(|| Error::Unsupported(format!("ChecksumAlgorithm {name}")))
        }
    }
}

/// Whether the object's checksum is made of its parts'. Hashes can't be of the whole, since the parts come in any order, and
/// the newest CRC is always of the whole.
fn is_composite(algorithm: Algorithm, asked: Option<&str>) -> Result<bool, Error> {
    let is_hash = matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256);
    match asked {
        None => Ok(algorithm != checksum::DEFAULT),
        Some("COMPOSITE") if algorithm != checksum::DEFAULT => Ok(true),
        Some("FULL_OBJECT") if !is_hash => Ok(false),
        Some(kind) => Err(Error::ChecksumType {
            kind: kind.to_owned(),
            algorithm: algorithm.name().to_ascii_lowercase(),
        }),
    }
}
