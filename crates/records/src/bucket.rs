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
}

impl Record for Bucket {
    const TABLE: &'static str = "bucket";
    fn key(&self) -> String {
        self.name.clone()
    }
}
