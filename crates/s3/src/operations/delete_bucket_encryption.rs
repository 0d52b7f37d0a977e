use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{State, settings};

/// Gives a bucket the encryption of every new one.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    settings::change(&state, named!(call), |settings| settings.has_bucket_key = false).await?;
    Ok(Nothing {})
}
