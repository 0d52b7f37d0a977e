//! An S3 bucket. All accounts and regions share one world of names, so the name alone is the key, the owner's scope stands
//! in the record.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Who owns it, and the region where it lies.
    pub scope: Scope,
    /// 3 to 63 of `[a-z0-9.-]`.
    pub name: String,
    pub created_ms: i64,
    pub tags: Texts,
    #[serde(default)]
    pub settings: BucketSettings,
}

/// What somebody has set; as a new bucket of AWS's has it, unless somebody has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BucketSettings {
    /// As it was put.
    pub policy: Option<String>,
    /// `None` once it was deleted.
    pub public_access_block: Option<PublicAccessBlock>,
    /// Deleted or not; nobody but the owner has objects in any case.
    pub has_ownership_controls: bool,
    /// Stands for nothing without keys of KMS, and is told as it was put.
    pub has_bucket_key: bool,
}

impl Default for BucketSettings {
    fn default() -> BucketSettings {
        BucketSettings {
            policy: None,
            public_access_block: Some(PublicAccessBlock::ALL),
            has_ownership_controls: true,
            has_bucket_key: false,
        }
    }
}

/// What of public access is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAccessBlock {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    pub const ALL: PublicAccessBlock = PublicAccessBlock {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

impl Record for Bucket {
    const TABLE: &'static str = "bucket";
    fn key(&self) -> String {
        self.name.clone()
    }
}
