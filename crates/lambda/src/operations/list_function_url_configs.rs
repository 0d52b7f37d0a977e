use std::sync::Arc;

use pitbird_records::FunctionUrl;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::page::Page;
use crate::url::View;
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
    function_url_configs: Vec<View>,
    next_marker: Option<String>,
}

/// The URLs of a function and its aliases, the function's own first.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, endpoint, .. } = call;
    let target = Target::whole(&state.store, &caller, "ListFunctionUrlConfigs", &input.function_name)?;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    find::head(&state.store, &target)?;
    let urls: Vec<FunctionUrl> = Records::list(&state.store, &target.prefix())?;
    let (urls, next_marker) = page.cut(urls, |url| url.alias.clone().unwrap_or_default());
    let urls = urls.into_iter().map(|url| View::of(url, &endpoint)).collect();
    Ok(Output { function_url_configs: urls, next_marker })
}
