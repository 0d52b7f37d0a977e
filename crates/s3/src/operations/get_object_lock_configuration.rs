use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{Error, State};

/// A bucket locks no objects.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let words = "Object Lock configuration does not exist for this bucket";
    Err(Error::NotSet("ObjectLockConfigurationNotFoundError", words, bucket.name).into())
}
