use std::sync::Arc;

use pitbird_records::{Layer, LayerVersion};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use serde::Deserialize;

use crate::code;
use crate::find::Records;
use crate::layer::{LayerName, Whole};
use crate::source::Source;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    layer_name: String,
    description: Option<String>,
    content: Content,
    compatible_runtimes: Option<Vec<String>>,
    license_info: Option<String>,
    compatible_architectures: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    zip_file: Option<Blob>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
}

/// Makes a layer's next version, and the layer with the first.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Whole, Fault> {
    let Call { caller, input, now_ms, endpoint, .. } = call;
    let layer = LayerName::parse(&caller, "PublishLayerVersion", &input.layer_name)?;
    if layer.scope != caller.scope {
        return Err(Error::UnknownResource.into());
    }
    let Content { zip_file, s3_bucket, s3_key, s3_object_version } = input.content;
    let source = Source { zip_file, s3_bucket, s3_key, s3_object_version };
    let upload = source.upload(&state, &layer.scope).await?;
    code::check_room(&state, &layer.scope, upload.code.size_bytes)?;
    let version = LayerVersion {
        scope: layer.scope.clone(),
        layer: layer.name.clone(),
        version: 0,
        description: input.description.unwrap_or_default(),
        license: input.license_info,
        runtimes: input.compatible_runtimes.unwrap_or_default(),
        architectures: input.compatible_architectures.unwrap_or_default(),
        code: upload.store(&state).await?,
        created_ms: now_ms,
    };
    let publish = move |tx: &mut Transaction<'_>| {
        let known: Option<Layer> = Records::get(&*tx, &layer.key())?;
        let number = known.map_or(1, |layer| layer.next_version);
        tx.put(&Layer { scope: layer.scope, name: layer.name, next_version: number + 1 })?;
        let version = LayerVersion { version: number, ..version };
        tx.put(&version)?;
        Ok::<_, Error>(version)
    };
    let published = state.store.write(publish).await?;
    Ok(Whole::of(published, &state.locations, &endpoint, now_ms))
}
