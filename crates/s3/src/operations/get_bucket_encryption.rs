use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Serialize;

use super::OfBucket;
use crate::find::named;
use crate::{State, plain};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    server_side_encryption_configuration: Configuration,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    rules: [Rule; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    apply_server_side_encryption_by_default: Default,
    bucket_key_enabled: bool,
}

#[derive(Debug, Serialize)]
struct Default {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: &'static str,
}

/// The encryption that AWS gives every bucket; there is no other here.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Output, Fault> {
    let bucket = named!(call).find(&state.store)?;
    let apply_server_side_encryption_by_default = Default { algorithm: plain::ENCRYPTION };
    let rules = [Rule {
        apply_server_side_encryption_by_default,
        bucket_key_enabled: bucket.settings.has_bucket_key,
    }];
    Ok(Output { server_side_encryption_configuration: Configuration { rules } })
}
