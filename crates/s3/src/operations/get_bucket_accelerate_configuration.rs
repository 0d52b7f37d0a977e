use std::sync::Arc;

use pitbird_service::{Call, Fault};

use super::{Nothing, OfBucket};
use crate::State;
use crate::find::named;

/// A bucket is not accelerated, and AWS says so by saying nothing.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    named!(call).find(&state.store)?;
    Ok(Nothing {})
}
