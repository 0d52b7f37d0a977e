use std::sync::Arc;

use pitbird_records::object::Description;
use pitbird_records::{Object, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::checksum::{self, Sums};
use crate::condition::Conditions;
use crate::copy_source::CopySource;
use crate::find::{Named, named};
use crate::object::{check_key, description, quoted, seconds};
use crate::{Error, State, plain};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    copy_source: String,
    copy_source_if_match: Option<String>,
    copy_source_if_none_match: Option<String>,
    copy_source_if_modified_since: Option<f64>,
    copy_source_if_unmodified_since: Option<f64>,
    metadata_directive: Option<String>,
    tagging_directive: Option<String>,
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
    expected_bucket_owner: Option<String>,
    expected_source_bucket_owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    copy_object_result: CopyObjectResult,
    server_side_encryption: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CopyObjectResult {
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: f64,
    checksum_type: &'static str,
    #[serde(flatten)]
    sums: Sums,
}

/// What a copy needs to know beside the records.
struct Copy {
    named: Named,
    key: String,
    source: Named,
    source_key: String,
    source_conditions: Conditions,
    conditions: Conditions,
    description: Description,
    replaces_metadata: bool,
    replaces_tags: bool,
    now_ms: i64,
}

/// Puts an object's content under another key too. No byte is moved: both keys name it.
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
    let source = CopySource::parse(&input.copy_source)?;
    let copy = Copy {
        source: source.named(&named, input.expected_source_bucket_owner.take()),
        named,
        source_key: source.key,
        source_conditions: Conditions {
            if_match: input.copy_source_if_match.take(),
            if_none_match: input.copy_source_if_none_match.take(),
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        },
        conditions: Conditions {
            if_match: input.if_match.take(),
            if_none_match: input.if_none_match.take(),
            ..Conditions::default()
        },
        description: description!(input),
        replaces_metadata: input.metadata_directive.as_deref() == Some("REPLACE"),
        replaces_tags: input.tagging_directive.as_deref() == Some("REPLACE"),
        key: input.key,
        now_ms,
    };
    let object = state.store.write(move |tx| copy.write(tx)).await?;
    Ok(Output {
        copy_object_result: CopyObjectResult {
            etag: quoted(&object.etag),
            last_modified: seconds(object.modified_ms),
            checksum_type: checksum::kind(object.checksum.is_composite),
            sums: Sums::shown(&object.checksum),
        },
        server_side_encryption: plain::ENCRYPTION,
    })
}

impl Copy {
    fn write(self, tx: &mut Transaction<'_>) -> Result<Object, Error> {
        self.named.find(tx)?;
        let object = self.source.object(tx, &self.source_key)?;
        self.source_conditions.check_source(&object)?;
        self.conditions.check_write(&self.key, self.named.held(tx, &self.key)?.as_ref())?;
        let is_same = object.bucket == self.named.bucket && object.key == self.key;
        if is_same && !self.replaces_metadata && !self.replaces_tags {
            return Err(Error::CopyToItself);
        }
        let mut description =
            if self.replaces_metadata { self.description.clone() } else { object.description.clone() };
        let tags = if self.replaces_tags { self.description.tags } else { object.description.tags };
        description.tags = tags;
        let object = Object {
            bucket: self.named.bucket,
            key: self.key,
            description,
            modified_ms: self.now_ms,
            content: object.content,
            etag: object.etag,
            checksum: object.checksum,
            part_sizes: object.part_sizes,
        };
        tx.put(&object)?;
        Ok(object)
    }
}
