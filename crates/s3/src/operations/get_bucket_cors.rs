use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{Error, State};

/// A bucket has no CORS rules.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let words = "The CORS configuration does not exist";
    Err(Error::NotSet("NoSuchCORSConfiguration", words, bucket.name).into())
}
