use std::sync::Arc;

use pitbird_records::EventInvokeConfig;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::event_invoke_config::View;
use crate::find::Records;
use crate::page::Page;
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
    function_event_invoke_configs: Vec<View>,
    next_marker: Option<String>,
}

/// All rules for asynchronous invocations of a function, by what they are for.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let target =
        Target::whole(&state.store, &caller, "ListFunctionEventInvokeConfigs", &input.function_name)?;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    find::head(&state.store, &target)?;
    let configs: Vec<EventInvokeConfig> = Records::list(&state.store, &target.prefix())?;
    let (configs, next_marker) = page.cut(configs, |config| config.qualifier.clone());
    Ok(Output { function_event_invoke_configs: configs.into_iter().map(View::from).collect(), next_marker })
}
