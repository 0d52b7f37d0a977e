use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::{State, Target, find, routing, view};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    /// Only aliases that lead to this version, by weight or entirely.
    function_version: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    aliases: Vec<view::Alias>,
    next_marker: Option<String>,
}

/// A function's aliases by their names.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "ListAliases", &input.function_name)?;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    find::head(&state.store, &target)?;
    let mut aliases = find::aliases(&state.store, &target)?;
    aliases.retain(|alias| {
        let is_led_to = |wanted: &str| routing::versions(alias).any(|version| version.to_string() == wanted);
        input.function_version.as_deref().is_none_or(is_led_to)
    });
    let (aliases, next_marker) = page.cut(aliases, |alias| alias.name.clone());
    Ok(Output { aliases: aliases.into_iter().map(Into::into).collect(), next_marker })
}
