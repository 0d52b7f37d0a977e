use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{State, settings};

/// Takes a bucket's policy away; also where there is none.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    settings::change(&state, named!(call), |settings| settings.policy = None).await?;
    Ok(Nothing {})
}
