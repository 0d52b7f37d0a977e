use std::sync::Arc;

use pitbird_records::{Bucket, MultipartUpload, Object, UploadedPart};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{Error, State};

/// Deletes a bucket that has no objects; uploads that are on their way end with it.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    let named = named!(call);
    // Asked outside of the change, which must not go through many keys; inside there are few if any.
    let below = Object::key_of(&named.find(&state.store)?.name, "");
    if !state.store.page::<Object>(&below, None, 1).map_err(Error::from)?.is_empty() {
        return Err(Error::BucketNotEmpty(named.bucket).into());
    }
    let delete = move |tx: &mut Transaction<'_>| {
        let bucket = named.find(tx)?;
        if tx.count::<Object>(&below)? > 0 {
            return Err(Error::BucketNotEmpty(bucket.name));
        }
        tx.delete_all::<MultipartUpload>(&below)?;
        tx.delete_all::<UploadedPart>(&below)?;
        tx.delete::<Bucket>(&bucket.name)?;
        Ok(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
