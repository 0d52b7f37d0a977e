//! What a document says of the API as a whole.

use serde_json::Value;

use super::member::{self, Source};
use crate::document::{DocumentationPart, Form, GatewayAnswer, Settings, Texts, Validator};

/// Swagger's `basePath`, or the path of OpenAPI's first server, whose variables stand for their defaults.
pub fn base_path(tree: &Value, form: Form) -> String {
    let path = match form {
        Form::Swagger2 => member::text(tree, "basePath").unwrap_or_default(),
        Form::OpenApi30 => tree.get("servers").and_then(|it| it.get(0)).map(server_path).unwrap_or_default(),
    };
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.map(|segment| format!("/{segment}")).collect()
}

fn server_path(server: &Value) -> String {
    let mut url = member::text(server, "url").unwrap_or_default();
    let variables = server.get("variables").and_then(Value::as_object).into_iter().flatten();
    for (name, variable) in variables {
        let default = member::text(variable, "default").unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), &default);
    }
    match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(_, path)| path.to_owned()).unwrap_or_default(),
        None => url,
    }
}

pub fn read(source: &mut Source<'_>) -> Settings {
    let tree = source.tree;
    let extension = |name: &str| tree.get(format!("x-amazon-apigateway-{name}"));
    let endpoint = endpoint(tree);
    let policy = extension("policy").filter(|policy| !policy.is_null());
    Settings {
        api_key_source: extension("api-key-source")
            .and_then(member::scalar)
            .map(|it| it.to_ascii_uppercase()),
        binary_media_types: extension("binary-media-types").map(member::list),
        minimum_compression_size: member::whole(tree, "x-amazon-apigateway-minimum-compression-size"),
        policy: policy.cloned(),
        endpoint_types: endpoint.and_then(|it| it.get("types")).map(member::list),
        ip_address_type: endpoint.and_then(|it| member::text(it, "ipAddressType")),
        vpc_endpoint_ids: endpoint.and_then(|it| it.get("vpcEndpointIds")).map(member::list),
        disable_execute_api_endpoint: endpoint.and_then(|it| member::switch(it, "disableExecuteApiEndpoint")),
        validators: validators(source),
        gateway_responses: gateway_responses(source),
        documentation: documentation(source),
        cors: extension("cors").cloned(),
        tags: tags(tree),
    }
}

fn tags(tree: &Value) -> Texts {
    let found = tree.get("tags").and_then(Value::as_array).into_iter().flatten();
    let read =
        |tag: &Value| Some((member::text(tag, "name")?, member::text(tag, "x-amazon-apigateway-tag-value")?));
    found.filter_map(read).collect()
}

/// At the document's root or, in OpenAPI 3.0, at its first server.
fn endpoint(tree: &Value) -> Option<&Value> {
    let name = "x-amazon-apigateway-endpoint-configuration";
    let server = tree.get("servers").and_then(|it| it.get(0));
    tree.get(name).or_else(|| server?.get(name)).filter(|it| it.is_object())
}

fn validators(source: &mut Source<'_>) -> Vec<(String, Validator)> {
    let found = source.object(source.tree, "", "x-amazon-apigateway-request-validators");
    let found = found.and_then(Value::as_object).into_iter().flatten();
    let read = |validator: &Value| Validator {
        body: member::switch(validator, "validateRequestBody").unwrap_or_default(),
        parameters: member::switch(validator, "validateRequestParameters").unwrap_or_default(),
    };
    found.map(|(name, validator)| (name.clone(), read(validator))).collect()
}

fn gateway_responses(source: &mut Source<'_>) -> Vec<(String, GatewayAnswer)> {
    let found = source.object(source.tree, "", "x-amazon-apigateway-gateway-responses");
    let found = found.and_then(Value::as_object).into_iter().flatten();
    let read = |answer: &Value| GatewayAnswer {
        status_code: member::text(answer, "statusCode"),
        parameters: member::texts(answer, "responseParameters"),
        templates: member::texts(answer, "responseTemplates"),
    };
    found.map(|(kind, answer)| (kind.clone(), read(answer))).collect()
}

pub fn documentation(source: &mut Source<'_>) -> Vec<DocumentationPart> {
    let name = "x-amazon-apigateway-documentation";
    let found = source.object(source.tree, "", name).and_then(|it| it.get("documentationParts"));
    let read = |part: &Value| {
        let location = part.get("location")?;
        Some(DocumentationPart {
            kind: member::upper(location, "type")?,
            path: member::text(location, "path"),
            method: member::text(location, "method"),
            status_code: member::text(location, "statusCode"),
            name: member::text(location, "name"),
            properties: part.get("properties").filter(|it| it.is_object())?.clone(),
        })
    };
    let mut parts = Vec::new();
    for (at, part) in found.and_then(Value::as_array).into_iter().flatten().enumerate() {
        match read(part) {
            Some(part) => parts.push(part),
            None => source.parse_issue(&format!(
                "{name}.documentationParts[{at}] has no location with a type, or no properties of type `object`"
            )),
        }
    }
    parts
}
