//! Makes a document of a REST API's deployment: what importing it would make again.

mod documentation;
mod operation;
mod security;

use pitbird_records::{Deployment, DocumentationVersion, Model};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::document::Form;
use crate::rest::DEFAULT_MODELS;
use crate::schema::{model_part, prefix, refers_to, relink};

/// What a document is made for.
#[derive(Debug, Clone, Copy)]
pub struct Export<'e> {
    pub form: Form,
    pub stage: &'e str,
    /// All of API Gateway's extensions but the authorizers.
    pub has_integrations: bool,
    pub has_authorizers: bool,
    /// What the stage shows of what is written about the API.
    pub documentation: Option<&'e DocumentationVersion>,
}

/// The document of a deployment. Same deployment, same document.
pub fn document(deployment: &Deployment, export: &Export<'_>) -> Value {
    let mut document = Map::new();
    match export.form {
        Form::Swagger2 => document.insert("swagger".to_owned(), json!("2.0")),
        Form::OpenApi30 => document.insert("openapi".to_owned(), json!("3.0.1")),
    };
    document.insert("info".to_owned(), info(deployment));
    let host =
        format!("{}.execute-api.{}.amazonaws.com", deployment.api_id, deployment.scope.region.as_str());
    match export.form {
        Form::Swagger2 => {
            document.insert("host".to_owned(), json!(host));
            document.insert("basePath".to_owned(), json!(format!("/{}", export.stage)));
            document.insert("schemes".to_owned(), json!(["https"]));
        }
        Form::OpenApi30 => {
            let variables = json!({"basePath": {"default": export.stage}});
            let server = json!({"url": format!("https://{host}/{{basePath}}"), "variables": variables});
            document.insert("servers".to_owned(), json!([server]));
        }
    }
    document.insert("paths".to_owned(), paths(deployment, export));
    let (schemes, schemas) = (security::schemes(deployment, export), schemas(deployment, export));
    match export.form {
        Form::Swagger2 => {
            put(&mut document, "securityDefinitions", schemes);
            put(&mut document, "definitions", schemas);
        }
        Form::OpenApi30 => {
            let mut components = Map::new();
            put(&mut components, "schemas", schemas);
            put(&mut components, "securitySchemes", schemes);
            put(&mut document, "components", components);
        }
    }
    if export.has_integrations {
        settings(deployment, &mut document);
    }
    let mut document = Value::Object(document);
    if let Some(version) = export.documentation {
        documentation::write(&mut document, version, export.form);
    }
    document
}

fn put(document: &mut Map<String, Value>, name: &str, members: Map<String, Value>) {
    if !members.is_empty() {
        document.insert(name.to_owned(), Value::Object(members));
    }
}

fn info(deployment: &Deployment) -> Value {
    let api = &deployment.api;
    let mut info = Map::from_iter([("title".to_owned(), json!(api.name))]);
    if let Some(description) = &api.description {
        info.insert("description".to_owned(), json!(description));
    }
    // A document must have a version: the time when it was frozen, for an API without one.
    let created = rfc3339(deployment.created_ms);
    info.insert("version".to_owned(), json!(api.version.as_ref().unwrap_or(&created)));
    Value::Object(info)
}

fn rfc3339(epoch_ms: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(epoch_ms.div_euclid(1000));
    moment.ok().and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}

fn paths(deployment: &Deployment, export: &Export<'_>) -> Value {
    let mut paths = Map::new();
    let mut resources: Vec<_> = deployment.resources.iter().collect();
    resources.sort_by(|one, other| one.path.cmp(&other.path));
    for resource in resources {
        if resource.methods.is_empty() && is_above_another(&resource.path, deployment) {
            continue;
        }
        let operations = resource.methods.iter().map(|(verb, method)| {
            let name = match verb.as_str() {
                "ANY" => "x-amazon-apigateway-any-method".to_owned(),
                verb => verb.to_ascii_lowercase(),
            };
            (name, operation::write(deployment, resource, method, export))
        });
        paths.insert(resource.path.clone(), Value::Object(operations.collect()));
    }
    Value::Object(paths)
}

/// Would a resource be made anyway, on the way to another?
fn is_above_another(path: &str, deployment: &Deployment) -> bool {
    let below = format!("{}/", path.trim_end_matches('/'));
    path == "/" || deployment.resources.iter().any(|other| other.path.starts_with(&below))
}

/// The models, but for the two that every API has, as it has them from the start, and nothing names here.
fn schemas(deployment: &Deployment, export: &Export<'_>) -> Map<String, Value> {
    let used = |model: &Model| {
        let methods = deployment.resources.iter().flat_map(|resource| resource.methods.values());
        let is_it = |name: &String| *name == model.name;
        let named = methods.into_iter().any(|method| {
            let mut responses = method.responses.values();
            method.request_models.values().any(is_it)
                || responses.any(|response| response.response_models.values().any(is_it))
        });
        let says = |other: &Model| other.schema.as_ref().is_some_and(|schema| refers_to(schema, &model.name));
        named || deployment.models.iter().any(says)
    };
    let is_as_ever = |model: &Model| {
        let schema = model.schema.as_deref();
        DEFAULT_MODELS.iter().any(|(name, _, usual)| *name == model.name && Some(*usual) == schema)
    };
    let is_told = |model: &&Model| !is_as_ever(model) || used(model);
    let schema = |model: &Model| {
        let schema = model.schema.as_deref().and_then(|schema| serde_json::from_str(schema).ok());
        local(&schema.unwrap_or_else(|| json!({})), &model.name, export.form)
    };
    deployment.models.iter().filter(is_told).map(|model| (model.name.clone(), schema(model))).collect()
}

/// A reference within the document to a model.
fn reference(name: &str, form: Form) -> Value {
    json!({"$ref": format!("{}{name}", prefix(form))})
}

/// A model's schema whose references, to models and to its own parts, stay within the document.
fn local(schema: &Value, own: &str, form: Form) -> Value {
    relink(schema, &mut |reference| {
        let own_part = reference.strip_prefix('#').map(|part| (own, part));
        Some(match model_part(reference).or(own_part) {
            Some((name, part)) => format!("{}{name}{part}", prefix(form)),
            None => reference.to_owned(),
        })
    })
}

/// API Gateway's extensions at the document's root.
fn settings(deployment: &Deployment, document: &mut Map<String, Value>) {
    let api = &deployment.api;
    let mut extend = |name: &str, value: Value| {
        document.insert(format!("x-amazon-apigateway-{name}"), value);
    };
    let validator = |body: bool, parameters: bool| json!({"validateRequestParameters": parameters, "validateRequestBody": body});
    let validators = deployment.request_validators.iter();
    let validators: Map<String, Value> = validators
        .map(|it| {
            let says = validator(it.validate_request_body, it.validate_request_parameters);
            (operation::validator_name(it).to_owned(), says)
        })
        .collect();
    if !validators.is_empty() {
        extend("request-validators", Value::Object(validators));
    }
    let responses = deployment.gateway_responses.iter();
    let responses: Map<String, Value> = responses.map(|it| (it.response_type.clone(), answer(it))).collect();
    if !responses.is_empty() {
        extend("gateway-responses", Value::Object(responses));
    }
    if let Some(policy) = api.policy.as_deref().and_then(|policy| serde_json::from_str(policy).ok()) {
        extend("policy", policy);
    }
    if !api.binary_media_types.is_empty() {
        extend("binary-media-types", json!(api.binary_media_types));
    }
    if let Some(size) = api.minimum_compression_size {
        extend("minimum-compression-size", json!(size));
    }
    if api.api_key_source != "HEADER" {
        extend("api-key-source", json!(api.api_key_source));
    }
    if api.disable_execute_api_endpoint || !api.vpc_endpoint_ids.is_empty() {
        let mut endpoint = json!({"disableExecuteApiEndpoint": api.disable_execute_api_endpoint});
        if !api.vpc_endpoint_ids.is_empty() {
            endpoint["vpcEndpointIds"] = json!(api.vpc_endpoint_ids);
        }
        extend("endpoint-configuration", endpoint);
    }
}

fn answer(response: &pitbird_records::GatewayResponse) -> Value {
    let mut answer = Map::new();
    if let Some(status) = &response.status_code {
        answer.insert("statusCode".to_owned(), json!(status));
    }
    if !response.response_parameters.is_empty() {
        answer.insert("responseParameters".to_owned(), json!(response.response_parameters));
    }
    if !response.response_templates.is_empty() {
        answer.insert("responseTemplates".to_owned(), json!(response.response_templates));
    }
    Value::Object(answer)
}

#[cfg(test)]
mod tests;
