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
    let version = input.function_version.as_deref().map(routing::parse_version).transpose()?;
    find::head(&state.store, &target)?;
    let mut aliases = find::aliases(&state.store, &target)?;
    aliases.retain(|alias| {
        let additional = alias.additional.map(|additional| additional.version);
        version.is_none_or(|version| alias.version == version || additional == Some(version))
    });
    let (aliases, next_marker) = page.cut(aliases, |alias| alias.name.clone());
    Ok(Output { aliases: aliases.into_iter().map(Into::into).collect(), next_marker })
}
