use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{State, settings};

/// Forgets what of public access is blocked; also where nothing is said.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    settings::change(&state, named!(call), |settings| settings.public_access_block = None).await?;
    Ok(Nothing {})
}
