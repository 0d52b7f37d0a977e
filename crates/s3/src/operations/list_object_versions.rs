use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::find::named;
use crate::listing::{self, CommonPrefix, Encoding, Listed, Query};
use crate::owner::Owner;

/// The version of everything in a bucket that has none.
const VERSION: &str = "null";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    prefix: Option<String>,
    delimiter: Option<String>,
    key_marker: Option<String>,
    /// There being one version of each key, the marker of keys says it all.
    #[serde(rename = "VersionIdMarker")]
    _version_id_marker: Option<String>,
    max_keys: Option<i64>,
    encoding_type: Option<String>,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    name: String,
    prefix: String,
    key_marker: String,
    next_key_marker: Option<String>,
    next_version_id_marker: Option<&'static str>,
    delimiter: Option<String>,
    max_keys: usize,
    is_truncated: bool,
    encoding_type: Option<&'static str>,
    versions: Vec<Version>,
    common_prefixes: Vec<CommonPrefix>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    #[serde(flatten)]
    object: Listed,
    version_id: &'static str,
    is_latest: bool,
}

/// The versions of a bucket's objects: one of each.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let input = call.input;
    let encoding = Encoding::parse(input.encoding_type.as_deref());
    let query = Query {
        prefix: input.prefix.unwrap_or_default(),
        delimiter: input.delimiter,
        after: input.key_marker.clone(),
        max: listing::max("max-keys", input.max_keys)?,
    };
    let page = listing::page(&state.store, &bucket.name, &query)?;
    let owner = Owner::of(&bucket.scope.account);
    let versions = page.objects.iter().map(|object| Version {
        object: Listed::of(object, encoding, Some(&owner)),
        version_id: VERSION,
        is_latest: true,
    });
    Ok(Output {
        name: bucket.name,
        prefix: encoding.write(&query.prefix),
        key_marker: encoding.write(&input.key_marker.unwrap_or_default()),
        next_key_marker: page.next.as_deref().map(|next| encoding.write(next)),
        next_version_id_marker: page.next.as_ref().map(|_| VERSION),
        delimiter: query.delimiter.as_deref().map(|delimiter| encoding.write(delimiter)),
        max_keys: query.max,
        is_truncated: page.next.is_some(),
        encoding_type: encoding.name(),
        versions: versions.collect(),
        common_prefixes: encoding.prefixes(&page.prefixes),
    })
}
