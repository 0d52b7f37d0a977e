//! One method as an operation.

use pitbird_names::limits;
use pitbird_records::{
    Deployment, Integration, IntegrationResponse, Method, MethodResponse, RequestValidator, Resource, Texts,
};
use serde_json::{Map, Value, json};

use super::{Export, reference, security};
use crate::document::Form;

pub fn write(deployment: &Deployment, resource: &Resource, method: &Method, export: &Export<'_>) -> Value {
    let mut operation = Map::new();
    if let Some(name) = &method.operation_name {
        operation.insert("operationId".to_owned(), json!(name));
    }
    let mut parameters: Vec<Value> = method
        .request_parameters
        .iter()
        .filter_map(|(name, is_required)| parameter(name, *is_required, export.form))
        .collect();
    match export.form {
        Form::Swagger2 => {
            if let Some(name) = method.request_models.values().next() {
                let media: Vec<&String> = method.request_models.keys().collect();
                operation.insert("consumes".to_owned(), json!(media));
                let schema = reference(name, export.form);
                parameters.push(json!({"in": "body", "name": name, "required": true, "schema": schema}));
            }
            let media = produced(method);
            if !media.is_empty() {
                operation.insert("produces".to_owned(), json!(media));
            }
        }
        Form::OpenApi30 if !method.request_models.is_empty() => {
            let body = json!({"content": content(&method.request_models), "required": true});
            operation.insert("requestBody".to_owned(), body);
        }
        Form::OpenApi30 => {}
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    let responses = method.responses.iter();
    let responses = responses.map(|(status, it)| (status.clone(), response(status, it, export.form)));
    operation.insert("responses".to_owned(), Value::Object(responses.collect()));
    let requirements = security::requirements(deployment, method);
    if !requirements.is_empty() {
        operation.insert("security".to_owned(), Value::Array(requirements));
    }
    if export.has_integrations {
        extend(deployment, resource, method, &mut operation);
    }
    Value::Object(operation)
}

/// What a validator is called in a document: its name, or its identifier when it has none.
pub fn validator_name(validator: &RequestValidator) -> &str {
    validator.name.as_deref().unwrap_or(&validator.id)
}

fn extend(deployment: &Deployment, resource: &Resource, method: &Method, operation: &mut Map<String, Value>) {
    let mut validators = deployment.request_validators.iter();
    let validator = validators.find(|it| Some(&it.id) == method.request_validator_id.as_ref());
    if let Some(validator) = validator {
        let name = json!(validator_name(validator));
        operation.insert("x-amazon-apigateway-request-validator".to_owned(), name);
    }
    if let Some(it) = &method.integration {
        operation.insert("x-amazon-apigateway-integration".to_owned(), integration(it, resource));
    }
}

fn parameter(name: &str, is_required: bool, form: Form) -> Option<Value> {
    let (place, name) = name.strip_prefix("method.request.")?.split_once('.')?;
    let place = if place == "querystring" { "query" } else { place };
    let is_required = is_required || place == "path";
    let mut parameter = json!({"name": name, "in": place});
    if is_required {
        parameter["required"] = json!(true);
    }
    match form {
        Form::Swagger2 => parameter["type"] = json!("string"),
        Form::OpenApi30 => parameter["schema"] = json!({"type": "string"}),
    }
    Some(parameter)
}

fn content(models: &Texts) -> Value {
    let media = models.iter();
    media.map(|(media, name)| (media.clone(), json!({"schema": reference(name, Form::OpenApi30)}))).collect()
}

/// Swagger's media types are the operation's, not the response's.
fn produced(method: &Method) -> Vec<&String> {
    let mut media: Vec<&String> =
        method.responses.values().flat_map(|response| response.response_models.keys()).collect();
    media.sort_unstable();
    media.dedup();
    media
}

fn response(status: &str, response: &MethodResponse, form: Form) -> Value {
    let mut written = json!({"description": format!("{status} response")});
    let header = match form {
        Form::Swagger2 => json!({"type": "string"}),
        Form::OpenApi30 => json!({"schema": {"type": "string"}}),
    };
    let names = response.response_parameters.keys();
    let names = names.filter_map(|name| name.strip_prefix("method.response.header."));
    let headers: Map<String, Value> = names.map(|name| (name.to_owned(), header.clone())).collect();
    if !headers.is_empty() {
        written["headers"] = Value::Object(headers);
    }
    match (form, response.response_models.values().next()) {
        (_, None) => {}
        (Form::Swagger2, Some(name)) => written["schema"] = reference(name, form),
        (Form::OpenApi30, Some(_)) => written["content"] = content(&response.response_models),
    }
    written
}

fn integration(integration: &Integration, resource: &Resource) -> Value {
    let mut written = json!({"type": integration.kind.to_ascii_lowercase()});
    let mut text = |name: &str, text: Option<&String>| {
        if let Some(text) = text {
            written[name] = json!(text);
        }
    };
    text("connectionId", integration.connection_id.as_ref());
    text("connectionType", integration.connection_type.as_ref().filter(|kind| *kind != "INTERNET"));
    text("credentials", integration.credentials.as_ref());
    text("httpMethod", integration.http_method.as_ref());
    text("uri", integration.uri.as_ref());
    text("contentHandling", integration.content_handling.as_ref());
    text("cacheNamespace", integration.cache_namespace.as_ref().filter(|it| **it != resource.id));
    if let Some(skips) = integration.skips_tls_verification {
        written["tlsConfig"] = json!({"insecureSkipVerification": skips});
    }
    written["passthroughBehavior"] = json!(integration.passthrough_behavior.to_ascii_lowercase());
    if integration.timeout_ms != limits::INTEGRATION_TIMEOUT_MS {
        written["timeoutInMillis"] = json!(integration.timeout_ms);
    }
    if integration.is_streamed {
        written["responseTransferMode"] = json!("STREAM");
    }
    if !integration.cache_key_parameters.is_empty() {
        written["cacheKeyParameters"] = json!(integration.cache_key_parameters);
    }
    if !integration.request_parameters.is_empty() {
        written["requestParameters"] = json!(integration.request_parameters);
    }
    if !integration.request_templates.is_empty() {
        written["requestTemplates"] = json!(integration.request_templates);
    }
    let mut responses = Map::new();
    for (status, response) in &integration.responses {
        let pattern = response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty());
        responses.entry(pattern.unwrap_or("default")).or_insert_with(|| answer(status, response));
    }
    if !responses.is_empty() {
        written["responses"] = Value::Object(responses);
    }
    written
}

fn answer(status: &str, response: &IntegrationResponse) -> Value {
    let mut answer = json!({"statusCode": status});
    if !response.response_parameters.is_empty() {
        answer["responseParameters"] = json!(response.response_parameters);
    }
    if !response.response_templates.is_empty() {
        answer["responseTemplates"] = json!(response.response_templates);
    }
    if let Some(handling) = &response.content_handling {
        answer["contentHandling"] = json!(handling);
    }
    answer
}
