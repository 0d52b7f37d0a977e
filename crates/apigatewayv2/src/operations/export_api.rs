use std::sync::Arc;

use pitbird_openapi::export_http::{self, Export};
use pitbird_openapi::text;
use pitbird_service::{Call, Fault};
use pitbird_wire::Blob;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    specification: String,
    output_type: String,
    export_version: Option<String>,
    include_extensions: Option<bool>,
    stage_name: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Output {
    body: Blob,
}

/// The OpenAPI document of what a stage serves, or of the API as it is now.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    if input.specification != "OAS30" {
        return Err(Error::SettingValue("specification").into());
    }
    if input.export_version.is_some_and(|version| version != "1.0") {
        return Err(Error::SettingValue("exportVersion").into());
    }
    let api = find::api(&state.store, &caller.scope, &input.api_id)?;
    let (routes, integrations, authorizers) = match &input.stage_name {
        Some(name) => {
            let stage = find::stage(&state.store, &api, name)?;
            let id = stage.deployment_id.unwrap_or_default();
            let served = find::deployment(&state.store, &api, &id)?;
            (served.routes, served.integrations, served.authorizers)
        }
        None => (
            find::routes(&state.store, &api)?,
            find::integrations(&state.store, &api)?,
            find::authorizers(&state.store, &api)?,
        ),
    };
    let document = export_http::document(&Export {
        api: &api,
        routes: &routes,
        integrations: &integrations,
        authorizers: &authorizers,
        base_path: input.stage_name.as_deref().filter(|name| *name != "$default").unwrap_or_default(),
        has_extensions: input.include_extensions.unwrap_or(true),
    });
    let written = written(&document, &input.output_type)?;
    Ok(Output { body: Blob(written.into_bytes().into()) })
}

fn written(document: &Value, output_type: &str) -> Result<String, Error> {
    match output_type {
        "JSON" => Ok(text::to_json(document)),
        "YAML" => Ok(text::to_yaml(document)),
        _ => Err(Error::SettingValue("outputType")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_written_as_asked() {
        let document = serde_json::json!({"openapi": "3.0.1"});
        let yaml = written(&document, "YAML").expect("YAML");
        assert!(yaml.contains("openapi:") && !yaml.contains('{'), "{yaml}");
        assert!(written(&document, "JSON").expect("JSON").starts_with('{'));
        assert!(written(&document, "yaml").is_err());
    }
}
