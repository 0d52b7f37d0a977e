//! Paths and what is behind their verbs.

use serde_json::Value;

use super::member::{self, Source};
use super::{integration, requirements};
use crate::document::{Form, Operation, Parameter, Path, Place, Requirement, Response, Schema};

/// The names of a path's operations and their verbs.
const VERBS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("x-amazon-apigateway-any-method", "ANY"),
];

/// Longest path, bytes. Longer ones are no path of any API's, and would be told with each warning.
const PATH_BYTES_MAX: usize = 4096;
/// Media types that one schema is for. Source: none published.
const MEDIA_TYPES_MAX: usize = 20;

/// Where an operation stands.
struct Spot<'t> {
    template: &'t str,
    verb: &'static str,
    tree: &'t Value,
}

pub fn paths(source: &mut Source<'_>, security: &[Requirement]) -> Vec<Path> {
    let tree = source.tree;
    if tree.get("paths").is_none() {
        source.parse_issue("paths is missing");
    }
    let mut paths = Vec::new();
    for (template, item) in source.object(tree, "", "paths").and_then(Value::as_object).into_iter().flatten()
    {
        if template.starts_with("x-") {
            continue;
        }
        if template.len() > PATH_BYTES_MAX {
            source.fail(format!("Unable to create resource at a path of more than {PATH_BYTES_MAX} bytes"));
            continue;
        }
        let Some(item) = source.resolve(item, "path") else { continue };
        if !item.is_object() {
            source.parse_issue(&format!("paths.'{template}' is not of type `object`"));
            continue;
        }
        if item.get("trace").is_some() {
            source.warn(format!("Unsupported method 'TRACE {template}'. Ignoring."));
        }
        let mut operations = Vec::new();
        for (name, verb) in VERBS {
            let Some(tree) = item.get(name) else { continue };
            if !tree.is_object() {
                source.parse_issue(&format!("paths.'{template}'({name}) is not of type `object`"));
                continue;
            }
            if let Some(security) = source.tree.get("security") {
                source.repeat(security);
            }
            if source.is_spent() {
                return paths;
            }
            operations.push(operation(source, item, &Spot { template, verb, tree }, security));
        }
        paths.push(Path { template: template.clone(), operations });
    }
    paths
}

fn operation<'t>(
    source: &mut Source<'t>,
    item: &'t Value,
    spot: &Spot<'t>,
    security: &[Requirement],
) -> Operation {
    let mut operation = Operation {
        verb: spot.verb.to_owned(),
        id: member::text(spot.tree, "operationId"),
        security: requirements(spot.tree).unwrap_or_else(|| security.to_vec()),
        auth: spot.tree.get("x-amazon-apigateway-auth").and_then(|auth| member::upper(auth, "type")),
        validator: member::text(spot.tree, "x-amazon-apigateway-request-validator")
            .or_else(|| member::text(source.tree, "x-amazon-apigateway-request-validator")),
        integration: integration::read(source, spot.tree, spot.template),
        ..Operation::default()
    };
    if !source.describes_methods {
        return operation;
    }
    operation.responses = responses(source, spot);
    // An operation's own parameters stand before its path's: of two with one name and place the first is it.
    for list in [spot.tree, item] {
        for found in list.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            if let Some(found) = source.resolve(found, "parameter") {
                parameter(source, found, spot, &mut operation);
            }
        }
    }
    if source.form == Form::OpenApi30
        && let Some(body) = spot.tree.get("requestBody").and_then(|body| source.resolve(body, "request body"))
    {
        operation.bodies = content(source, body);
    }
    operation
}

fn parameter<'t>(source: &mut Source<'t>, at: &'t Value, spot: &Spot<'t>, operation: &mut Operation) {
    let kind = member::text(at, "in").unwrap_or_default();
    let name = member::text(at, "name").unwrap_or_default();
    let place = match kind.as_str() {
        "header" => Place::Header,
        "query" => Place::Query,
        "path" => Place::Path,
        "body" if source.form == Form::Swagger2 => {
            let schema = at.get("schema").and_then(|schema| source.schema(schema));
            if let Some(schema) = schema.filter(|_| operation.bodies.is_empty()) {
                let media = media_types(source, spot.tree, "consumes");
                operation.bodies = each(source, media, &schema);
            }
            return;
        }
        kind => {
            let Spot { template, verb, .. } = spot;
            source.warn(format!(
                "Unsupported parameter type '{kind}' for '{name}' on method '{verb} {template}'. Ignoring."
            ));
            return;
        }
    };
    let is_required = place == Place::Path || member::switch(at, "required") == Some(true);
    if !operation.parameters.iter().any(|other| other.place == place && other.name == name) {
        operation.parameters.push(Parameter { place, name, is_required });
    }
}

fn responses<'t>(source: &mut Source<'t>, spot: &Spot<'t>) -> Vec<Response> {
    let place = format!("paths.'{}'({})", spot.template, spot.verb.to_ascii_lowercase());
    let found = source.object(spot.tree, &place, "responses").and_then(Value::as_object);
    let mut responses = Vec::new();
    for (status, response) in found.into_iter().flatten() {
        if status.starts_with("x-") {
            continue;
        }
        let is_status = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
        if !is_status {
            let Spot { template, verb, .. } = spot;
            source.warn(format!(
                "Unsupported response status code '{status}' on method '{verb} {template}'. Ignoring."
            ));
            continue;
        }
        let Some(response) = source.resolve(response, "response") else { continue };
        let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
        responses.push(Response {
            status: status.clone(),
            headers: headers.map(|(name, _)| name.clone()).collect(),
            bodies: match source.form {
                Form::OpenApi30 => content(source, response),
                Form::Swagger2 => {
                    let schema = response.get("schema").and_then(|schema| source.schema(schema));
                    let media = media_types(source, spot.tree, "produces");
                    schema.map(|schema| each(source, media, &schema)).unwrap_or_default()
                }
            },
        });
    }
    responses
}

/// OpenAPI 3.0's schemas by media type.
fn content<'t>(source: &mut Source<'t>, at: &'t Value) -> Vec<(String, Schema)> {
    let media = at.get("content").and_then(Value::as_object).into_iter().flatten();
    media
        .filter_map(|(media, it)| Some((media.clone(), it.get("schema").and_then(|it| source.schema(it))?)))
        .collect()
}

/// Swagger's media types: the operation's, the document's, JSON.
fn media_types(source: &mut Source<'_>, operation: &Value, name: &str) -> Vec<String> {
    let found = operation.get(name).or_else(|| source.tree.get(name)).and_then(Value::as_array);
    let found = found.map(Vec::as_slice).unwrap_or_default();
    if found.len() > MEDIA_TYPES_MAX {
        source.fail(format!("More than {MEDIA_TYPES_MAX} media types in {name}"));
    }
    let media: Vec<String> = found.iter().take(MEDIA_TYPES_MAX).filter_map(member::scalar).collect();
    if media.is_empty() { vec!["application/json".to_owned()] } else { media }
}

/// The schema for each media type.
fn each(source: &mut Source<'_>, media: Vec<String>, schema: &Schema) -> Vec<(String, Schema)> {
    if let Schema::Inline(schema) = schema {
        media.iter().for_each(|_| source.repeat(schema));
    }
    if source.is_spent() {
        return Vec::new();
    }
    media.into_iter().map(|media| (media, schema.clone())).collect()
}
