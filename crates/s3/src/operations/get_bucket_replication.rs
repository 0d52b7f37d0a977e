use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{Error, State};

/// A bucket is not replicated.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let words = "The replication configuration was not found";
    Err(Error::NotSet("ReplicationConfigurationNotFoundError", words, bucket.name).into())
}
