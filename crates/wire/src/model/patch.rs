//! Deliberate deviations from a model.

use super::ModelError;
use super::raw::{RawMetadata, RawModel, RawOperation, RawShape, Text};
use serde::Deserialize;

/// One deviation. It sets fields of the metadata, of one operation or of one shape; members are added or replaced.
/// The reason is for people, and without one there is no deviation.
#[derive(Deserialize)]
#[serde(untagged, bound(deserialize = "'de: 'static"))]
#[allow(dead_code)]
enum Deviation {
    Metadata { reason: Text, metadata: Box<RawMetadata> },
    Operation { reason: Text, operation: Text, set: Box<RawOperation> },
    Shape { reason: Text, shape: Text, set: Box<RawShape> },
}

/// Applies a patch's text to a model. Patching what the model doesn't have is an error, so that a patch dies with its
/// cause.
pub fn apply(model: &mut RawModel, patch: &'static str) -> Result<(), ModelError> {
    let deviations: Vec<Deviation> = serde_json::from_str(patch)?;
    for deviation in deviations {
        match deviation {
            Deviation::Metadata { metadata, .. } => model.metadata.overlay(*metadata),
            Deviation::Operation { operation: Text(name), set, .. } => {
                let found = model.operations.0.iter_mut().find(|(held, _)| *held == name);
                found.ok_or(ModelError::Unknown { what: "patched operation", name })?.1.overlay(*set);
            }
            Deviation::Shape { shape: Text(name), set, .. } => {
                let found = model.shapes.0.iter_mut().find(|(held, _)| *held == name);
                found.ok_or(ModelError::Unknown { what: "patched shape", name })?.1.overlay(*set);
            }
        }
    }
    Ok(())
}

/// Applies what a patch says of a service's metadata.
pub fn apply_metadata(raw: &mut RawMetadata, patch: &'static str) -> Result<(), ModelError> {
    let deviations: Vec<Deviation> = serde_json::from_str(patch)?;
    for deviation in deviations {
        if let Deviation::Metadata { metadata, .. } = deviation {
            raw.overlay(*metadata);
        }
    }
    Ok(())
}
