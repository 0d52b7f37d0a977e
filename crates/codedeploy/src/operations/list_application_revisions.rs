use std::sync::Arc;

use pitbird_records::{DeployRevision, Revision, prefix};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::shape::revision::RevisionLocation;
use crate::{Error, State, find, page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    sort_by: Option<String>,
    sort_order: Option<String>,
    s3_bucket: Option<String>,
    s3_key_prefix: Option<String>,
    deployed: Option<String>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    revisions: Vec<RevisionLocation>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    let application = find::application(store, &caller.scope, &input.application_name)?;
    if input.s3_key_prefix.is_some() && input.s3_bucket.is_none() {
        let words = "A bucket name is required, but was not provided.";
        return Err(Error::invalid("BucketNameFilterRequiredException", words).into());
    }
    let all = Records::list::<DeployRevision>(store, &prefix(&caller.scope, &[&application.id]));
    let mut found: Vec<DeployRevision> = all.map_err(Error::from)?;
    found.retain(|revision| is_wanted(revision, &input));
    let is_latest_first = input.sort_order.as_deref() == Some("descending");
    let place = |revision: &DeployRevision| {
        let at_ms = match input.sort_by.as_deref() {
            Some("firstUsedTime") => revision.first_used_ms,
            Some("lastUsedTime") => revision.last_used_ms,
            Some(_) => Some(revision.registered_ms),
            None => None,
        };
        page::timed(at_ms, is_latest_first, &revision.digest)
    };
    found.sort_by_cached_key(place);
    let (found, next_token) = page::cut(found, place, input.next_token.as_deref())?;
    let revisions = found.iter().map(|found| RevisionLocation::from(&found.revision)).collect();
    Ok(Output { revisions, next_token })
}

fn is_wanted(revision: &DeployRevision, input: &Input) -> bool {
    let is_deployed = !revision.groups.is_empty();
    let by_use = match input.deployed.as_deref() {
        Some("include") => is_deployed,
        Some("exclude") => !is_deployed,
        _ => true,
    };
    let by_place = match (&input.s3_bucket, &revision.revision) {
        (None, _) => true,
        (Some(bucket), Revision::S3(s3)) => {
            let prefix = input.s3_key_prefix.as_deref().unwrap_or_default();
            s3.bucket == *bucket && s3.key.starts_with(prefix)
        }
        (Some(_), _) => false,
    };
    by_use && by_place
}
