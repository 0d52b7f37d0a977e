//! Where a caller says that code is: in the call itself, or in a bucket.

use bytes::Bytes;
use pitbird_names::{Scope, limits};
use pitbird_records::{Bucket, Object};
use pitbird_service::Fault;
use pitbird_store::Store;
use pitbird_wire::Blob;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::code::Upload;
use crate::{Error, State};

/// Packages from buckets that are held in memory at a time; each may be as large as code once unpacked.
static HELD: Semaphore = Semaphore::const_new(2);

/// What a caller gives; functions and layers have the same members for it.
#[derive(Debug, Default)]
pub struct Source {
    pub zip_file: Option<Blob>,
    pub s3_bucket: Option<String>,
    pub s3_key: Option<String>,
    pub s3_object_version: Option<String>,
}

impl Source {
    /// Gets the zip to where it is, looking at its size only.
    pub async fn upload(self, state: &State, scope: &Scope) -> Result<Upload, Error> {
        let Source { zip_file, s3_bucket, s3_key, s3_object_version } = self;
        if s3_object_version.is_some() {
            return Err(Error::unsupported("S3ObjectVersion"));
        }
        match (zip_file, s3_bucket, s3_key) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Err(Error::TwoSources),
            (None, Some(bucket), Some(key)) => {
                let place = Place { bucket, key };
                let (zip, held) = place.read(&state.store, scope).await?;
                Upload::held(zip, held)
            }
            (zip_file, ..) => Upload::parse(zip_file.map(|blob| blob.0)),
        }
    }
}

/// An object that holds a package.
struct Place {
    bucket: String,
    key: String,
}

impl Place {
    async fn read(&self, store: &Store, scope: &Scope) -> Result<(Bytes, SemaphorePermit<'static>), Error> {
        let object = self.find(store, scope)?;
        if object.content.size_bytes > limits::UNZIPPED_BYTES {
            return Err(Error::UnzippedSize);
        }
        let held = HELD.acquire().await.map_err(|closed| Error::told(Fault::internal(closed)))?;
        let store = store.clone();
        let read = move || store.blob(&object.content.sha256_hex);
        let read = tokio::task::spawn_blocking(read).await;
        let zip = read.map_err(|ended| Error::told(Fault::internal(ended)))??;
        Ok((zip, held))
    }

    /// The object, if the bucket is the function's owner's and lies in the function's region.
    fn find(&self, store: &Store, scope: &Scope) -> Result<Object, Error> {
        let refused = |code: &'static str, message: &str| Error::Source { code, message: message.to_owned() };
        let bucket = store.get::<Bucket>(&self.bucket)?.map(|found| found.record);
        let bucket = bucket.ok_or_else(|| refused("NoSuchBucket", "The specified bucket does not exist"))?;
        if bucket.scope.account != scope.account {
            return Err(Error::SourceDenied(format!("{}/{}", self.bucket, self.key)));
        }
        if bucket.scope.region != scope.region {
            let words = format!(
                "The bucket is in this region: {}. Please use this region to retry the request",
                bucket.scope.region
            );
            return Err(refused("PermanentRedirect", &words));
        }
        let object = store.get::<Object>(&Object::key_of(&self.bucket, &self.key))?.map(|found| found.record);
        object.ok_or_else(|| refused("NoSuchKey", "The specified key does not exist."))
    }
}
