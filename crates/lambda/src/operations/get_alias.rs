use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use pitbird_names::Qualifier;

use crate::{Error, State, Target, find, view};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<view::Alias, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "GetAlias", &input.function_name)?;
    find::head(&state.store, &target)?;
    let alias = find::alias(&state.store, &target, &input.name)?;
    let unknown = || Error::UnknownAlias(target.with(Qualifier::Alias(input.name)).arn());
    Ok(alias.ok_or_else(unknown)?.into())
}
