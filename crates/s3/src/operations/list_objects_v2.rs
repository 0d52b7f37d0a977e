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
    start_after: Option<String>,
    continuation_token: Option<String>,
    max_keys: Option<i64>,
    fetch_owner: Option<bool>,
    encoding_type: Option<String>,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    name: String,
    prefix: String,
    start_after: Option<String>,
    continuation_token: Option<String>,
    next_continuation_token: Option<String>,
    delimiter: Option<String>,
    key_count: usize,
    max_keys: usize,
    is_truncated: bool,
    encoding_type: Option<&'static str>,
    contents: Vec<Listed>,
    common_prefixes: Vec<CommonPrefix>,
}

/// A bucket's objects, page by page.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let input = call.input;
    let encoding = Encoding::parse(input.encoding_type.as_deref());
    let after = input.continuation_token.as_deref().map(listing::from_token).transpose()?;
    let query = Query {
        prefix: input.prefix.unwrap_or_default(),
        delimiter: input.delimiter,
        after: after.or_else(|| input.start_after.clone()),
        max: listing::max("max-keys", input.max_keys)?,
    };
    let page = listing::page(&state.store, &bucket.name, &query)?;
    let owner = Owner::of(&bucket.scope.account);
    let owner = input.fetch_owner.unwrap_or(false).then_some(&owner);
    Ok(Output {
        name: bucket.name,
        prefix: encoding.write(&query.prefix),
        start_after: input.start_after.as_deref().map(|after| encoding.write(after)),
        continuation_token: input.continuation_token,
        next_continuation_token: page.next.as_deref().map(listing::token),
        delimiter: query.delimiter.as_deref().map(|delimiter| encoding.write(delimiter)),
        key_count: page.objects.len() + page.prefixes.len(),
        max_keys: query.max,
        is_truncated: page.next.is_some(),
        encoding_type: encoding.name(),
        contents: page.objects.iter().map(|object| Listed::of(object, encoding, owner)).collect(),
        common_prefixes: encoding.prefixes(&page.prefixes),
    })
}
