use std::sync::Arc;

use pitbird_names::{Region, Scope};
use pitbird_records::Bucket;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::tags::{self, BUCKET_TAGS_MAX, Tag};
use crate::{Error, State, bucket_name, plain};

/// Buckets of one account. Source: S3 user guide, "Bucket quotas".
const BUCKETS_MAX: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    create_bucket_configuration: Option<CreateBucketConfiguration>,
    #[serde(rename = "ACL")]
    acl: Option<String>,
    object_ownership: Option<String>,
    object_lock_enabled_for_bucket: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateBucketConfiguration {
    location_constraint: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    location: String,
    bucket_arn: String,
}

/// Makes a bucket. To make it again is no error in the oldest region, as in AWS.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    bucket_name::check(&input.bucket)?;
    plain::Asked { acl: input.acl, ..plain::Asked::default() }.check()?;
    if input.object_ownership.as_deref().is_some_and(|asked| asked != super::OWNERSHIP) {
        return Err(Error::Unsupported("ObjectOwnership other than BucketOwnerEnforced".into()).into());
    }
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(Error::Unsupported("ObjectLockEnabledForBucket".into()).into());
    }
    let (constraint, tags) = match input.create_bucket_configuration {
        Some(given) => (given.location_constraint, given.tags.unwrap_or_default()),
        None => (None, Vec::new()),
    };
    let region = region(&caller.scope.region, constraint)?;
    let is_oldest = region == Region::default();
    let scope = Scope { account: caller.scope.account, region };
    let tags = tags::parse(tags, BUCKET_TAGS_MAX)?;
    let bucket = Bucket { scope, name: input.bucket, created_ms: now_ms, tags, settings: Default::default() };
    let name = bucket.name.clone();
    let create = move |tx: &mut Transaction<'_>| match tx.get::<Bucket>(&bucket.name)? {
        Some(there) if there.record.scope.account != bucket.scope.account => {
            Err(Error::BucketExists(bucket.name))
        }
        Some(_) if is_oldest => Ok(()),
        Some(_) => Err(Error::BucketOwned(bucket.name)),
        None => {
            let mine = |found: &Bucket| found.scope.account == bucket.scope.account;
            if tx.list::<Bucket>("")?.iter().filter(|found| mine(&found.record)).count() >= BUCKETS_MAX {
                return Err(Error::TooManyBuckets);
            }
            tx.put(&bucket)?;
            Ok(())
        }
    };
    state.store.write(create).await?;
    Ok(Output { bucket_arn: format!("arn:aws:s3:::{name}"), location: format!("/{name}") })
}

/// Where the bucket will lie. The oldest region, which has no constraint of its own, makes buckets anywhere; the others only
/// at home.
fn region(here: &Region, constraint: Option<String>) -> Result<Region, Error> {
    let Some(constraint) = constraint.filter(|constraint| !constraint.is_empty()) else {
        let is_oldest = *here == Region::default();
        return if is_oldest { Ok(here.clone()) } else { Err(Error::OtherLocation("unspecified".into())) };
    };
    let region = Region::parse(&constraint).filter(|region| *region != Region::default());
    let region = region.ok_or_else(|| Error::Location(constraint.clone()))?;
    if *here != Region::default() && region != *here {
        return Err(Error::OtherLocation(constraint));
    }
    Ok(region)
}
