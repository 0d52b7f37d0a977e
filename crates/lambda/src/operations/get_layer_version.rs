use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::layer::{self, LayerName, Whole};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    layer_name: String,
    version_number: i64,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Whole, Fault> {
    let Call { caller, input, endpoint, now_ms, .. } = call;
    let layer = LayerName::parse(&caller, "GetLayerVersion", &input.layer_name)?;
    let number = layer::parse_number(input.version_number)?;
    Ok(Whole::of(layer.version(&state.store, number)?, &state.locations, &endpoint, now_ms))
}
