use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{Error, State};

/// A bucket is no website.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let words = "The specified bucket does not have a website configuration";
    Err(Error::NotSet("NoSuchWebsiteConfiguration", words, bucket.name).into())
}
