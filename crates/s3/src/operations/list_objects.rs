use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::find::named;
use crate::listing::{self, CommonPrefix, Encoding, Listed, Query};
use crate::owner::Owner;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    prefix: Option<String>,
    delimiter: Option<String>,
    marker: Option<String>,
    max_keys: Option<i64>,
    encoding_type: Option<String>,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    name: String,
    prefix: String,
    marker: String,
    next_marker: Option<String>,
    delimiter: Option<String>,
    max_keys: usize,
    is_truncated: bool,
    encoding_type: Option<&'static str>,
    contents: Vec<Listed>,
    common_prefixes: Vec<CommonPrefix>,
}

/// The older list of a bucket's objects, which goes on after a key.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let input = call.input;
    let encoding = Encoding::parse(input.encoding_type.as_deref());
    let query = Query {
        prefix: input.prefix.unwrap_or_default(),
        delimiter: input.delimiter,
        after: input.marker.clone(),
        max: listing::max("max-keys", input.max_keys)?,
    };
    let page = listing::page(&state.store, &bucket.name, &query)?;
    let owner = Owner::of(&bucket.scope.account);
    // The next marker is only told where it isn't the last key anyway.
    let next = page.next.as_deref().filter(|_| query.delimiter.is_some());
    Ok(Output {
        name: bucket.name,
        prefix: encoding.write(&query.prefix),
        marker: encoding.write(&input.marker.unwrap_or_default()),
        next_marker: next.map(|next| encoding.write(next)),
        delimiter: query.delimiter.as_deref().map(|delimiter| encoding.write(delimiter)),
        max_keys: query.max,
        is_truncated: page.next.is_some(),
        encoding_type: encoding.name(),
        contents: page.objects.iter().map(|object| Listed::of(object, encoding, Some(&owner))).collect(),
        common_prefixes: encoding.prefixes(&page.prefixes),
    })
}
