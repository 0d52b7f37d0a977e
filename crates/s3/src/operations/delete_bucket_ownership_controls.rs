use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{State, settings};

/// Forgets who owns what is in a bucket. It stays its owner's, who alone can put anything there.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    settings::change(&state, named!(call), |settings| settings.has_ownership_controls = false).await?;
    Ok(Nothing {})
}
