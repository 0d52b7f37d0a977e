use std::sync::Arc;

use pitbird_records::LayerVersion;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::layer::{self, LayerName};
use crate::view::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    layer_name: String,
    version_number: i64,
}

/// Deletes a version, if it is there. Functions that have it go on with it, and its number is never given again.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let layer = LayerName::parse(&caller, "DeleteLayerVersion", &input.layer_name)?;
    let key = layer.version_key(layer::parse_number(input.version_number)?);
    let delete = move |tx: &mut Transaction<'_>| Ok::<_, Error>(tx.delete::<LayerVersion>(&key)?);
    let _was_there = state.store.write(delete).await?;
    Ok(Nothing {})
}
