use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::find::named;
use crate::{Error, State, plain, settings};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    server_side_encryption_configuration: Configuration,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    apply_server_side_encryption_by_default: Option<Default>,
    bucket_key_enabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Default {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: String,
}

/// Says how a bucket's objects are encrypted: as they are in any case. Keys of KMS are refused by name, there being none.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let [rule] = &call.input.server_side_encryption_configuration.rules[..] else {
        return Err(Error::MalformedXml.into());
    };
    let algorithm = rule.apply_server_side_encryption_by_default.as_ref().map(|default| &default.algorithm);
    if let Some(other) = algorithm.filter(|algorithm| *algorithm != plain::ENCRYPTION) {
        return Err(Error::Unsupported(format!("SSEAlgorithm {other}")).into());
    }
    let has_bucket_key = rule.bucket_key_enabled.unwrap_or_default();
    settings::change(&state, named, move |settings| settings.has_bucket_key = has_bucket_key).await?;
    Ok(Nothing {})
}
