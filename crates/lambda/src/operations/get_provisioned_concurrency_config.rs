use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::find::Records;
use crate::provisioned::{self, View};
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: String,
}

/// How it stands with the environments that are kept ready of a version or an alias.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, .. } = call;
    let (operation, store) = ("GetProvisionedConcurrencyConfig", &state.store);
    let target = provisioned::target(store, &caller, operation, &input.function_name, &input.qualifier)?;
    let record = Records::get(store, &provisioned::key(&target))?;
    Ok(View::of(&state, &target, &record.ok_or(Error::NoProvisionedConcurrency)?))
}
