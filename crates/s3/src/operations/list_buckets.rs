use std::sync::Arc;

use pitbird_records::Bucket;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::listing;
use crate::object::seconds;
use crate::owner::Owner;
use crate::{Error, State};

/// Buckets of one answer, if fewer aren't asked for. Source: S3 API reference.
const BUCKETS_MAX: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    prefix: Option<String>,
    bucket_region: Option<String>,
    max_buckets: Option<usize>,
    continuation_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    buckets: Vec<Listed>,
    owner: Owner,
    continuation_token: Option<String>,
    prefix: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    name: String,
    creation_date: f64,
    bucket_region: String,
}

/// The caller's buckets, by name.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let account = caller.scope.account;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let after = input.continuation_token.as_deref().map(listing::from_token).transpose()?;
    let found = state.store.page::<Bucket>(prefix, after.as_deref(), usize::MAX).map_err(Error::from)?;
    let in_region = |bucket: &Bucket| {
        input.bucket_region.as_deref().is_none_or(|region| bucket.scope.region.as_str() == region)
    };
    let mut found: Vec<Bucket> = found.into_iter().map(|found| found.record).collect();
    found.retain(|bucket| bucket.scope.account == account && in_region(bucket));
    let max = input.max_buckets.unwrap_or(BUCKETS_MAX).clamp(1, BUCKETS_MAX);
    let is_truncated = found.len() > max;
    found.truncate(max);
    let next = found.last().filter(|_| is_truncated).map(|last| listing::token(&last.name));
    let buckets = found.into_iter().map(|bucket| Listed {
        name: bucket.name,
        creation_date: seconds(bucket.created_ms),
        bucket_region: bucket.scope.region.to_string(),
    });
    Ok(Output {
        buckets: buckets.collect(),
        owner: Owner::of(&account),
        continuation_token: next,
        prefix: input.prefix,
    })
}
