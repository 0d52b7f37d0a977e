use std::sync::Arc;

use pitbird_names::VersionId;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::view::Configuration;
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
    versions: Vec<Configuration>,
    next_marker: Option<String>,
}

/// A function's versions, `$LATEST` first.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "ListVersionsByFunction", &input.function_name)?;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let mut update = find::update(&state.store, &target)?;
    let versions = find::versions(&state.store, &target)?;
    let (versions, next_marker) = page.cut(versions, |version| super::version_key(version.version));
    let shown = versions.into_iter().map(|version| match version.version {
        VersionId::Latest => find::shown(version, update.take()),
        VersionId::Number(_) => version,
    });
    Ok(Output { versions: shown.map(|version| Configuration::listed(version, true)).collect(), next_marker })
}
