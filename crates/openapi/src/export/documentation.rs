//! What an API's owner has written about its parts, where OpenAPI has a place for it, and as a whole in API Gateway's own.
//!
//! Source: API Gateway API reference, `DocumentationPart` and `DocumentationPartLocation`.

use pitbird_records::{DocumentationPart, DocumentationVersion};
use serde_json::{Map, Value, json};

use super::rfc3339;
use crate::document::Form;

/// A place in a document: what of a part's location it is held against.
#[derive(Debug, Clone, Copy, Default)]
struct Place<'p> {
    path: Option<&'p str>,
    method: Option<&'p str>,
    status: Option<&'p str>,
    name: Option<&'p str>,
}

impl<'p> Place<'p> {
    fn named(name: &'p str) -> Place<'p> {
        Place { name: Some(name), ..Place::default() }
    }
}

/// Writes a version's parts into a document that has everything else already.
pub fn write(document: &mut Value, version: &DocumentationVersion, form: Form) {
    let parts = Parts(&version.parts);
    if let Some(said) = parts.of("API", Place::default()) {
        if let Some(Value::Object(of_info)) = said.get("info") {
            merge(&mut document["info"], of_info, &["description", "termsOfService", "contact", "license"]);
        }
        merge(document, &said, &["externalDocs", "tags"]);
    }
    for (path, item) in members_at(document, "/paths") {
        parts.describe_path(path, item, form);
    }
    let (schemas, schemes) = match form {
        Form::Swagger2 => ("/definitions", "/securityDefinitions"),
        Form::OpenApi30 => ("/components/schemas", "/components/securitySchemes"),
    };
    // Beside a reference nothing is read.
    for (name, schema) in members_at(document, schemas).filter(|(_, schema)| schema.get("$ref").is_none()) {
        parts.describe("MODEL", Place::named(name), schema, &["description", "title"]);
    }
    for (name, scheme) in members_at(document, schemes) {
        parts.describe("AUTHORIZER", Place::named(name), scheme, &["description"]);
    }
    document["x-amazon-apigateway-documentation"] = whole(version);
}

fn members_at<'v>(value: &'v mut Value, pointer: &str) -> impl Iterator<Item = (&'v String, &'v mut Value)> {
    value.pointer_mut(pointer).and_then(Value::as_object_mut).into_iter().flatten()
}

/// All parts as they were written.
fn whole(version: &DocumentationVersion) -> Value {
    let part = |part: &DocumentationPart| {
        let at = &part.location;
        let mut location = json!({"type": at.kind});
        for (name, text) in
            [("path", &at.path), ("method", &at.method), ("statusCode", &at.status_code), ("name", &at.name)]
        {
            if let Some(text) = text {
                location[name] = json!(text);
            }
        }
        json!({"location": location, "properties": properties(part)})
    };
    let parts: Vec<Value> = version.parts.iter().map(part).collect();
    json!({"version": version.version, "createdDate": rfc3339(version.created_ms), "documentationParts": parts})
}

/// The service lets in nothing but objects.
fn properties(part: &DocumentationPart) -> Map<String, Value> {
    serde_json::from_str(&part.properties).unwrap_or_default()
}

struct Parts<'p>(&'p [DocumentationPart]);

impl Parts<'_> {
    /// What is said of a place: by the part for it alone, or by the closest one that it inherits from.
    fn of(&self, kind: &str, place: Place<'_>) -> Option<Map<String, Value>> {
        let ranked = self.0.iter().filter(|part| part.location.kind == kind);
        let ranked = ranked.filter_map(|part| Some((rank(part, place)?, part)));
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, part)| properties(part))
    }

    fn describe(&self, kind: &str, place: Place<'_>, value: &mut Value, members: &[&str]) {
        if let Some(said) = self.of(kind, place) {
            merge(value, &said, members);
        }
    }

    fn describe_path(&self, path: &str, item: &mut Value, form: Form) {
        let place = Place { path: Some(path), ..Place::default() };
        let Value::Object(operations) = item else { return };
        for (verb, operation) in operations.iter_mut() {
            let method = match verb.as_str() {
                "x-amazon-apigateway-any-method" => "ANY".to_owned(),
                verb => verb.to_ascii_uppercase(),
            };
            self.describe_operation(Place { method: Some(&method), ..place }, operation, form);
        }
        // Swagger's paths have no words of their own.
        if form == Form::OpenApi30 {
            self.describe("RESOURCE", place, item, &["description", "summary"]);
        }
    }

    fn describe_operation(&self, place: Place<'_>, operation: &mut Value, form: Form) {
        let of_operation = ["deprecated", "description", "externalDocs", "summary", "tags"];
        self.describe("METHOD", place, operation, &of_operation);
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let text = |member: &str| parameter.get(member).and_then(Value::as_str).map(str::to_owned);
            let name = text("name");
            let (kind, name) = match text("in").as_deref() {
                Some("path") => ("PATH_PARAMETER", name.as_deref()),
                Some("query") => ("QUERY_PARAMETER", name.as_deref()),
                Some("header") => ("REQUEST_HEADER", name.as_deref()),
                // Its name here is the model's.
                _ => ("REQUEST_BODY", None),
            };
            self.describe(kind, Place { name, ..place }, parameter, &["description"]);
        }
        if let Some(body) = operation.get_mut("requestBody").filter(|_| form == Form::OpenApi30) {
            self.describe("REQUEST_BODY", place, body, &["description"]);
        }
        for (status, response) in members_at(operation, "/responses") {
            let place = Place { status: Some(status), ..place };
            self.describe("RESPONSE", place, response, &["description"]);
            for (name, header) in members_at(response, "/headers") {
                let place = Place { name: Some(name), ..place };
                self.describe("RESPONSE_HEADER", place, header, &["description"]);
            }
        }
    }
}

/// How closely a part's location names a place; `None` where it doesn't. Some kinds mean the very place that they name, others
/// also those below it, and any method or status where they name none.
fn rank(part: &DocumentationPart, place: Place<'_>) -> Option<(usize, bool, bool)> {
    const INHERITED: [&str; 5] =
        ["PATH_PARAMETER", "QUERY_PARAMETER", "REQUEST_HEADER", "RESPONSE", "RESPONSE_HEADER"];
    let at = &part.location;
    let is_inherited = INHERITED.contains(&at.kind.as_str());
    let fits = |said: &Option<String>, has: Option<&str>| match said.as_deref() {
        Some("*") if is_inherited => Some(false),
        said => (said == has).then_some(true),
    };
    // A body may have a name, which a document has no place for.
    if at.kind != "REQUEST_BODY" && at.name.as_deref() != place.name {
        return None;
    }
    let own = at.path.as_deref().unwrap_or_default();
    let path = place.path.unwrap_or_default();
    let below = path.strip_prefix(own.trim_end_matches('/'));
    let is_below = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if own != path && !(is_inherited && is_below) {
        return None;
    }
    Some((own.len(), fits(&at.method, place.method)?, fits(&at.status_code, place.status)?))
}

fn merge(value: &mut Value, said: &Map<String, Value>, members: &[&str]) {
    let Value::Object(into) = value else { return };
    for (name, value) in said.iter().filter(|(name, _)| members.contains(&name.as_str())) {
        into.insert(name.clone(), value.clone());
    }
}
