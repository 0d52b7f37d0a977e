//! Finding what a call names, or saying in S3's words that it isn't there or is somebody else's.

use pitbird_names::Account;
use pitbird_records::{Bucket, MultipartUpload, Object, Record, UploadedPart};
use pitbird_store::{Store, Transaction};

use crate::Error;

/// Where records are read: from the store, or within a change.
pub trait Records {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error>;

    /// All records whose key starts with `prefix`, in the order of their keys.
    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error>;
}

impl Records for Store {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error> {
        Ok(Store::get(self, key)?.map(|found| found.record))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error> {
        Ok(Store::list(self, prefix)?.into_iter().map(|found| found.record).collect())
    }
}

impl Records for Transaction<'_> {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error> {
        Ok(Transaction::get(self, key)?.map(|found| found.record))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error> {
        Ok(Transaction::list(self, prefix)?.into_iter().map(|found| found.record).collect())
    }
}

/// A bucket as a call names it.
#[derive(Debug, Clone)]
pub struct Named {
    pub bucket: String,
    /// Who calls; only owners get at their buckets, there being no policies.
    pub account: Account,
    /// Who must own the bucket, if the caller says so.
    pub expected_owner: Option<String>,
}

impl Named {
    pub fn find(&self, records: &impl Records) -> Result<Bucket, Error> {
        let found: Option<Bucket> = records.get(&self.bucket)?;
        let bucket = found.ok_or_else(|| Error::NoSuchBucket(self.bucket.clone()))?;
        let owner = bucket.scope.account.as_str();
        let is_expected = self.expected_owner.as_deref().is_none_or(|expected| expected == owner);
        if bucket.scope.account != self.account || !is_expected {
            return Err(Error::AccessDenied);
        }
        Ok(bucket)
    }

    /// An object of the bucket.
    pub fn object(&self, records: &impl Records, key: &str) -> Result<Object, Error> {
        self.find(records)?;
        self.held(records, key)?.ok_or_else(|| Error::NoSuchKey(key.to_owned()))
    }

    /// What is there under a key, if anything; the bucket was found before.
    pub fn held(&self, records: &impl Records, key: &str) -> Result<Option<Object>, Error> {
        records.get(&Object::key_of(&self.bucket, key))
    }

    /// An upload of an object.
    pub fn upload(&self, records: &impl Records, key: &str, id: &str) -> Result<MultipartUpload, Error> {
        self.find(records)?;
        let found: Option<MultipartUpload> = records.get(&MultipartUpload::key_of(&self.bucket, id))?;
        let found = found.filter(|upload| upload.object_key == key);
        found.ok_or_else(|| Error::NoSuchUpload(id.to_owned()))
    }

    /// What has come of an upload, in the order of the parts' numbers.
    pub fn parts(&self, records: &impl Records, id: &str) -> Result<Vec<UploadedPart>, Error> {
        records.list(&UploadedPart::prefix_of(&self.bucket, id))
    }
}

/// The bucket that an input names, for a caller.
macro_rules! named {
    ($call:expr) => {
        $crate::find::Named {
            bucket: $call.input.bucket.clone(),
            account: $call.caller.scope.account.clone(),
            expected_owner: $call.input.expected_bucket_owner.clone(),
        }
    };
}
pub(crate) use named;
