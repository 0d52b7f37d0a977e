use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_names::arn;
use pitbird_records::{LayerVersion, prefix};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::find::Records;
use crate::layer::{Filter, Listed};
use crate::page::Page;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    compatible_runtime: Option<String>,
    compatible_architecture: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    layers: Vec<Item>,
    next_marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    layer_name: String,
    layer_arn: String,
    latest_matching_version: Listed,
}

/// The layers that have a version as it is asked for, by their names, each with its newest such version.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let filter = Filter {
        runtime: input.compatible_runtime.as_deref(),
        architecture: input.compatible_architecture.as_deref(),
    };
    let versions: Vec<LayerVersion> = Records::list(&state.store, &prefix(&caller.scope, &[]))?;
    let versions = versions.into_iter().filter(|version| filter.takes(version));
    // In the order of their keys, so that a layer's newest version comes last and stays.
    let latest: BTreeMap<String, LayerVersion> =
        versions.map(|version| (version.layer.clone(), version)).collect();
    let (layers, next_marker) =
        page.cut(latest.into_values().collect(), |version: &LayerVersion| version.layer.clone());
    let layers = layers.into_iter().map(|version| Item {
        layer_name: version.layer.clone(),
        layer_arn: arn::layer(&version.scope, &version.layer, None),
        latest_matching_version: version.into(),
    });
    Ok(Output { layers: layers.collect(), next_marker })
}
