use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::find::named;
use crate::{State, policy};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_status: PolicyStatus,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyStatus {
    is_public: bool,
}

/// No policy that is taken makes a bucket public.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    policy::of(named!(call).find(&state.store)?)?;
    Ok(Output { policy_status: PolicyStatus { is_public: false } })
}
