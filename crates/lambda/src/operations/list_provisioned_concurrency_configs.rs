use std::sync::Arc;

use pitbird_records::ProvisionedConcurrency;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::page::Page;
use crate::provisioned::{self, View};
use crate::{State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    provisioned_concurrency_configs: Vec<View>,
    next_marker: Option<String>,
}

/// Of which versions and aliases of a function environments are kept ready.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let target =
        Target::whole(&state.store, &caller, "ListProvisionedConcurrencyConfigs", &input.function_name)?;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    find::head(&state.store, &target)?;
    let configs: Vec<ProvisionedConcurrency> = Records::list(&state.store, &target.prefix())?;
    let (configs, next_marker) = page.cut(configs, |config| config.qualifier.clone());
    let view =
        |config: ProvisionedConcurrency| View::listed(&state, &provisioned::of(&target, &config), &config);
    Ok(Output { provisioned_concurrency_configs: configs.into_iter().map(view).collect(), next_marker })
}
