use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::layer::{LayerName, Whole};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    arn: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Whole, Fault> {
    let Call { caller, input, endpoint, now_ms, .. } = call;
    let (layer, number) = LayerName::parse_version(&caller, "GetLayerVersion", &input.arn)?;
    Ok(Whole::of(layer.version(&state.store, number)?, &state.locations, &endpoint, now_ms))
}
