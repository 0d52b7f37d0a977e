use std::sync::Arc;

use pitbird_openapi::document::Form;
use pitbird_openapi::export::{self, Export};
use pitbird_openapi::text;
use pitbird_records::{DocumentationVersion, Stage, Texts, key};
use pitbird_service::{Call, Fault};
use pitbird_wire::Blob;
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    stage_name: String,
    export_type: String,
    parameters: Option<Texts>,
    accepts: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    content_type: String,
    content_disposition: String,
    body: Blob,
}

/// The OpenAPI document of what a stage serves.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let form = match input.export_type.as_str() {
        "swagger" => Form::Swagger2,
        "oas30" => Form::OpenApi30,
        other => return Err(Error::ExportType(other.to_owned()).into()),
    };
    let is_yaml = is_yaml(input.accepts.as_deref())?;
    let (has_integrations, has_authorizers) = extensions(input.parameters.unwrap_or_default())?;
    find::api(&state.store, &caller.scope, &input.rest_api_id)?;
    let stage = find::stage(&state.store, &caller.scope, &input.rest_api_id, &input.stage_name)?;
    let deployment = find::deployment(&state.store, &caller.scope, &stage.api_id, &stage.deployment_id)?;
    let documentation = shown(&state, &stage)?;
    let documentation = documentation.as_ref();
    let export = Export { form, stage: &stage.name, has_integrations, has_authorizers, documentation };
    let document = export::document(&deployment, &export);
    let (written, kind) = match is_yaml {
        true => (text::to_yaml(&document), "yaml"),
        false => (text::to_json(&document), "json"),
    };
    let name = format!("{}-{}-{}.{kind}", stage.api_id, stage.name, input.export_type);
    Ok(Output {
        content_type: format!("application/{kind}"),
        content_disposition: format!("attachment; filename=\"{name}\""),
        body: Blob(written.into_bytes().into()),
    })
}

/// What a stage shows of what is written about its API.
fn shown(state: &State, stage: &Stage) -> Result<Option<DocumentationVersion>, Error> {
    let Some(version) = &stage.documentation_version else { return Ok(None) };
    Ok(Records::get(&state.store, &key(&stage.scope, &[&stage.api_id, version]))?)
}

/// JSON, unless YAML is asked for.
fn is_yaml(accepts: Option<&str>) -> Result<bool, Error> {
    let first = accepts.and_then(|accepts| accepts.split([',', ';']).next()).unwrap_or_default().trim();
    match first {
        "" | "*/*" | "application/*" | "application/json" => Ok(false),
        "application/yaml" => Ok(true),
        other => Err(Error::unsupported(format!("accepts {other}"))),
    }
}

/// Are integrations, are authorizers asked for? What is written about an API is told in any case.
fn extensions(parameters: Texts) -> Result<(bool, bool), Error> {
    let (mut has_integrations, mut has_authorizers) = (false, false);
    for (name, value) in parameters {
        if name != "extensions" {
            return Err(Error::unsupported(format!("parameters.{name}")));
        }
        for extension in value.split(',').map(str::trim) {
            match extension {
                "apigateway" => (has_integrations, has_authorizers) = (true, true),
                "integrations" => has_integrations = true,
                "authorizers" => has_authorizers = true,
                "" | "documentation" => {}
                other => return Err(Error::unsupported(format!("extensions {other}"))),
            }
        }
    }
    Ok((has_integrations, has_authorizers))
}
