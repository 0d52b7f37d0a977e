use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::layer::{Filter, LayerName, Listed};
use crate::page::Page;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    layer_name: String,
    compatible_runtime: Option<String>,
    compatible_architecture: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    layer_versions: Vec<Listed>,
    next_marker: Option<String>,
}

/// A layer's versions that are not deleted, the newest first; none of a layer that was never there.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let layer = LayerName::parse(&caller, "ListLayerVersions", &input.layer_name)?;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let filter = Filter {
        runtime: input.compatible_runtime.as_deref(),
        architecture: input.compatible_architecture.as_deref(),
    };
    let mut versions = layer.versions(&state.store)?;
    versions.retain(|version| filter.takes(version));
    let (versions, next_marker) = page.cut(versions, |version| format!("{:020}", u64::MAX - version.version));
    Ok(Output { layer_versions: versions.into_iter().map(Listed::from).collect(), next_marker })
}
