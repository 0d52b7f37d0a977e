use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::find::Records;
use crate::provisioned::{self, View};
use crate::{Error, State, Target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: String,
}

/// How it stands with the environments that are kept ready of a version or an alias.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, .. } = call;
    let (operation, qualifier) = ("GetProvisionedConcurrencyConfig", Some(&*input.qualifier));
    let target = Target::parse(&state.store, &caller, operation, &input.function_name, qualifier)?;
    provisioned::check_there(&state.store, &target)?;
    let record = Records::get(&state.store, &provisioned::key(&target))?;
    Ok(View::of(&state, &target, &record.ok_or(Error::NoProvisionedConcurrency)?))
}
