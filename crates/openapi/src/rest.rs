//! Lays a document over a REST API's records.
//!
//! What stays keeps its identifiers: resources by their path, models, authorizers and validators by their name. Nothing is
//! checked here but what can't be put into records; the service checks what comes out as if calls had made it.

mod method;
mod model;
mod tree;

use std::collections::BTreeSet;

use pitbird_records::{
    Authorizer, DocumentationLocation, DocumentationPart, GatewayResponse, Model, RequestValidator, Resource,
    RestApi,
};
use serde_json::Value;

pub use crate::document::BasePath;
use crate::document::{self, Document, Scheme};

/// The models that every new API has: their names, descriptions and schemas.
pub const DEFAULT_MODELS: [(&str, &str, &str); 2] = [
    (
        "Empty",
        "This is a default empty schema model",
        "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\n  \"type\" : \
         \"object\"\n}",
    ),
    (
        "Error",
        "This is a default error schema model",
        "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\n  \"type\" \
         : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}",
    ),
];

/// A REST API's records, but for stages and deployments.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub api: RestApi,
    /// The root among them, parents before children.
    pub resources: Vec<Resource>,
    pub models: Vec<Model>,
    pub validators: Vec<RequestValidator>,
    pub authorizers: Vec<Authorizer>,
    pub gateway_responses: Vec<GatewayResponse>,
    pub documentation: Vec<DocumentationPart>,
}

/// What becomes of that which a document doesn't name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It stays.
    Merge,
    /// It goes; endpoint, tags and whether the default endpoint is there stay.
    Overwrite,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub mode: Mode,
    pub base_path: BasePath,
    pub ignores_documentation: bool,
    /// Resources of one API; none is made beyond.
    pub resources_max: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Laid {
    pub picture: Picture,
    /// The names of the models that the document describes.
    pub described: BTreeSet<String>,
    pub warnings: Vec<String>,
    pub errors: Vec<String>,
    /// Settings for which records have no place, by name.
    pub unsupported: Vec<String>,
    /// Were there more resources than may be?
    pub is_full: bool,
}

/// Lays a document over an API. `fresh_id` makes an identifier of so many letters.
pub fn lay(
    document: &Document,
    over: Picture,
    options: &Options,
    fresh_id: &mut dyn FnMut(usize) -> String,
) -> Laid {
    let mut picture = match options.mode {
        Mode::Merge => over.clone(),
        Mode::Overwrite => Picture { gateway_responses: Vec::new(), ..cleared(&over) },
    };
    settings(document, &mut picture.api);
    let mut laid = Laid {
        picture,
        described: BTreeSet::new(),
        warnings: document.warnings.clone(),
        errors: document.errors.clone(),
        unsupported: unsupported(document),
        is_full: false,
    };
    validators(document, &over, &mut laid.picture, fresh_id);
    authorizers(document, &over, &mut laid.picture, fresh_id);
    gateway_responses(document, &mut laid.picture);
    if !options.ignores_documentation {
        documentation(document, &over, options.mode, &mut laid.picture, fresh_id);
    }
    let mut models = model::Models::new(document, &over, &mut laid.picture, fresh_id);
    tree::lay(document, &over, options, &mut laid, &mut models, fresh_id);
    laid.described = models.store(&mut laid.picture);
    laid
}

/// An API without what overwriting takes away.
fn cleared(over: &Picture) -> Picture {
    let mut api = over.api.clone();
    (api.description, api.version, api.policy) = (None, None, None);
    (api.binary_media_types, api.minimum_compression_size) = (Vec::new(), None);
    "HEADER".clone_into(&mut api.api_key_source);
    let is_default = |model: &&Model| DEFAULT_MODELS.iter().any(|(name, ..)| *name == model.name);
    Picture {
        api,
        resources: over.resources.iter().filter(|it| it.parent_id.is_none()).cloned().map(bare).collect(),
        models: over.models.iter().filter(is_default).cloned().collect(),
        validators: Vec::new(),
        authorizers: Vec::new(),
        gateway_responses: Vec::new(),
        documentation: over.documentation.clone(),
    }
}

fn bare(mut resource: Resource) -> Resource {
    resource.methods.clear();
    resource
}

fn settings(document: &Document, api: &mut RestApi) {
    let settings = &document.settings;
    if let Some(title) = &document.title {
        api.name.clone_from(title);
    }
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    api.description = given(&document.description).or(api.description.take());
    api.version = given(&document.version).or(api.version.take());
    if let Some(source) = &settings.api_key_source {
        api.api_key_source.clone_from(source);
    }
    if let Some(types) = &settings.binary_media_types {
        api.binary_media_types.clone_from(types);
    }
    api.minimum_compression_size = settings.minimum_compression_size.or(api.minimum_compression_size);
    if let Some(policy) = &settings.policy {
        // Some write the policy as a text in the document.
        api.policy = Some(policy.as_str().map_or_else(|| policy.to_string(), str::to_owned));
    }
    if let Some(types) = &settings.endpoint_types {
        api.endpoint_types.clone_from(types);
    }
    if let Some(kind) = &settings.ip_address_type {
        api.ip_address_type.clone_from(kind);
    }
    if let Some(ids) = &settings.vpc_endpoint_ids {
        api.vpc_endpoint_ids.clone_from(ids);
    }
    if let Some(is_disabled) = settings.disable_execute_api_endpoint {
        api.disable_execute_api_endpoint = is_disabled;
    }
}

fn unsupported(document: &Document) -> Vec<String> {
    let mut names = Vec::new();
    if document.settings.cors.is_some() {
        names.push("x-amazon-apigateway-cors".to_owned());
    }
    let operations = document.paths.iter().flat_map(|path| &path.operations);
    for integration in operations.filter_map(|operation| operation.integration.as_ref()) {
        let mode = integration.response_transfer_mode.as_deref();
        if let Some(mode) = mode.filter(|mode| !["BUFFERED", "STREAM"].contains(mode)) {
            names.push(format!("responseTransferMode {mode}"));
        }
        if let Some(version) = integration.payload_format_version.as_ref().filter(|version| *version != "1.0")
        {
            names.push(format!("payloadFormatVersion {version}"));
        }
        if integration.subtype.is_some() {
            names.push("integrationSubtype".to_owned());
        }
        if !integration.response_parameters.is_empty() {
            names.push("responseParameters of an integration instead of its responses".to_owned());
        }
        if integration.server_name.is_some() {
            names.push("tlsConfig.serverNameToVerify".to_owned());
        }
        if !names.is_empty() {
            break;
        }
    }
    names
}

fn validators(
    document: &Document,
    over: &Picture,
    picture: &mut Picture,
    fresh_id: &mut dyn FnMut(usize) -> String,
) {
    for (name, validator) in &document.settings.validators {
        let is_it = |other: &&RequestValidator| other.name.as_ref() == Some(name);
        let known = over.validators.iter().find(is_it).map(|known| known.id.clone());
        picture.validators.retain(|other| other.name.as_ref() != Some(name));
        picture.validators.push(RequestValidator {
            scope: picture.api.scope.clone(),
            api_id: picture.api.id.clone(),
            id: known.unwrap_or_else(|| fresh_id(6)),
            name: Some(name.clone()),
            validate_request_body: validator.body,
            validate_request_parameters: validator.parameters,
        });
    }
}

fn authorizers(
    document: &Document,
    over: &Picture,
    picture: &mut Picture,
    fresh_id: &mut dyn FnMut(usize) -> String,
) {
    for (name, scheme) in &document.schemes {
        let Scheme::Authorizer(asked) = scheme else { continue };
        let known = over.authorizers.iter().find(|other| other.name == *name).map(|known| known.id.clone());
        picture.authorizers.retain(|other| other.name != *name);
        let id = known.unwrap_or_else(|| fresh_id(6));
        picture.authorizers.push(authorizer(&picture.api, name, asked, id));
    }
}

fn authorizer(api: &RestApi, name: &str, asked: &document::Authorizer, id: String) -> Authorizer {
    let kind = asked.kind.to_ascii_uppercase();
    // The header that the scheme names, unless it is there only because a scheme must name one.
    let header = asked.header.as_ref().filter(|header| *header != "Unused" && kind != "REQUEST");
    let header = header.map(|header| format!("method.request.header.{header}"));
    Authorizer {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        id,
        name: name.to_owned(),
        kind,
        provider_arns: asked.provider_arns.clone(),
        auth_type: asked.auth_type.clone(),
        uri: asked.uri.clone(),
        credentials: asked.credentials.clone().filter(|role| !role.is_empty()),
        identity_source: asked.identity_source.clone().or(header),
        identity_validation_expression: asked.identity_validation_expression.clone(),
        // What doesn't fit is out of the service's bounds too, and refused there.
        result_ttl_s: asked.result_ttl_s.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
    }
}

fn gateway_responses(document: &Document, picture: &mut Picture) {
    for (kind, answer) in &document.settings.gateway_responses {
        picture.gateway_responses.retain(|other| other.response_type != *kind);
        picture.gateway_responses.push(GatewayResponse {
            scope: picture.api.scope.clone(),
            api_id: picture.api.id.clone(),
            response_type: kind.clone(),
            status_code: answer.status_code.clone(),
            response_parameters: answer.parameters.clone(),
            response_templates: answer.templates.clone(),
        });
    }
}

/// Overwriting takes parts away only if the document has some: one that is silent of them isn't about them.
fn documentation(
    document: &Document,
    over: &Picture,
    mode: Mode,
    picture: &mut Picture,
    fresh_id: &mut dyn FnMut(usize) -> String,
) {
    let asked = &document.settings.documentation;
    if mode == Mode::Overwrite && !asked.is_empty() {
        picture.documentation.clear();
    }
    for part in asked {
        let location = DocumentationLocation {
            kind: part.kind.clone(),
            path: part.path.clone(),
            method: part.method.clone(),
            status_code: part.status_code.clone(),
            name: part.name.clone(),
        };
        let known = over.documentation.iter().find(|other| other.location == location);
        picture.documentation.retain(|other| other.location != location);
        picture.documentation.push(DocumentationPart {
            scope: picture.api.scope.clone(),
            api_id: picture.api.id.clone(),
            id: known.map_or_else(|| fresh_id(6), |known| known.id.clone()),
            location,
            properties: Value::to_string(&part.properties),
        });
    }
}

#[cfg(test)]
pub(crate) mod tests;
