use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{Error, State};

/// A bucket has no life cycle.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let words = "The lifecycle configuration does not exist";
    Err(Error::NotSet("NoSuchLifecycleConfiguration", words, bucket.name).into())
}
