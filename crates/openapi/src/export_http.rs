//! Makes an OpenAPI 3.0 document of an HTTP API: what importing it would make again.

use pitbird_records::{HttpApi, HttpAuthorizer, HttpAuthorizerKind, HttpCors, HttpIntegration, HttpRoute};
use serde_json::{Map, Value, json};

const IAM: &str = "sigv4";

/// What a document is made of.
#[derive(Debug, Clone, Copy)]
pub struct Export<'e> {
    pub api: &'e HttpApi,
    pub routes: &'e [HttpRoute],
    pub integrations: &'e [HttpIntegration],
    pub authorizers: &'e [HttpAuthorizer],
    /// The path before all paths; empty for the stage `$default`.
    pub base_path: &'e str,
    /// Are API Gateway's extensions written?
    pub has_extensions: bool,
}

/// The document. Same records, same document.
pub fn document(export: &Export<'_>) -> Value {
    let api = export.api;
    let mut info = json!({"title": api.name, "version": api.version.as_deref().unwrap_or("1.0")});
    if let Some(description) = &api.description {
        info["description"] = json!(description);
    }
    let host =
        format!("https://{}.execute-api.{}.amazonaws.com/{{basePath}}", api.id, api.scope.region.as_str());
    let mut server = json!({"url": host, "variables": {"basePath": {"default": export.base_path}}});
    let mut document = json!({"openapi": "3.0.1", "info": info, "paths": paths(export)});
    let schemes = schemes(export);
    if !schemes.is_empty() {
        document["components"] = json!({"securitySchemes": schemes});
    }
    let tag = |(name, value): (&String, &String)| match export.has_extensions {
        true => json!({"name": name, "x-amazon-apigateway-tag-value": value}),
        false => json!({"name": name}),
    };
    if !api.tags.is_empty() {
        document["tags"] = api.tags.iter().map(tag).collect();
    }
    if export.has_extensions {
        if api.disable_execute_api_endpoint {
            let endpoint = json!({"disableExecuteApiEndpoint": true});
            server["x-amazon-apigateway-endpoint-configuration"] = endpoint;
        }
        if let Some(cors) = &api.cors {
            document["x-amazon-apigateway-cors"] = cors_of(cors);
        }
        document["x-amazon-apigateway-importexport-version"] = json!("1.0");
    }
    document["servers"] = json!([server]);
    document
}

fn paths(export: &Export<'_>) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut routes: Vec<&HttpRoute> = export.routes.iter().collect();
    routes.sort_by(|one, other| one.route_key.cmp(&other.route_key));
    for route in routes {
        let (verb, path) = route.route_key.split_once(' ').unwrap_or(("ANY", "/$default"));
        let name = match verb {
            "ANY" => "x-amazon-apigateway-any-method".to_owned(),
            verb => verb.to_ascii_lowercase(),
        };
        let item = paths.entry(path).or_insert_with(|| path_item(path));
        item[name] = operation(export, route);
    }
    Value::Object(paths)
}

/// A path without operations: its variables.
fn path_item(path: &str) -> Value {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str| {
        json!({
            "name": name, "in": "path", "description": format!("Generated path parameter for {name}"),
            "required": true, "schema": {"type": "string"},
        })
    };
    let parameters: Vec<Value> = names.map(parameter).collect();
    if parameters.is_empty() { json!({}) } else { json!({"parameters": parameters}) }
}

fn operation(export: &Export<'_>, route: &HttpRoute) -> Value {
    let description = format!("Default response for {}", route.route_key);
    let mut operation = json!({"responses": {"default": {"description": description}}});
    if let Some(name) = &route.operation_name {
        operation["operationId"] = json!(name);
    }
    if route.authorization_type == "AWS_IAM" {
        operation["security"] = json!([{IAM: []}]);
    }
    let authorizer = export.authorizers.iter().find(|it| Some(&it.id) == route.authorizer_id.as_ref());
    if let Some(authorizer) = authorizer {
        operation["security"] = json!([{scheme_name(export, authorizer): route.authorization_scopes}]);
    }
    let integration = export.integrations.iter().find(|it| Some(&it.id) == route.integration_id.as_ref());
    if let Some(integration) = integration.filter(|_| export.has_extensions) {
        operation["x-amazon-apigateway-integration"] = integration_of(integration);
    }
    operation
}

fn integration_of(integration: &HttpIntegration) -> Value {
    let mut extension = json!({
        "type": integration.kind.to_ascii_lowercase(), "uri": integration.uri, "connectionType": "INTERNET",
        "payloadFormatVersion": integration.payload_format_version, "timeoutInMillis": integration.timeout_ms,
    });
    if let Some(method) = &integration.method {
        extension["httpMethod"] = json!(method);
    }
    if !integration.request_parameters.is_empty() {
        extension["requestParameters"] = json!(integration.request_parameters);
    }
    if !integration.response_parameters.is_empty() {
        extension["responseParameters"] = json!(integration.response_parameters);
    }
    extension
}

fn schemes(export: &Export<'_>) -> Map<String, Value> {
    let mut schemes = Map::new();
    if export.routes.iter().any(|route| route.authorization_type == "AWS_IAM") {
        let scheme = json!({"type": "apiKey", "name": "Authorization", "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4"});
        schemes.insert(IAM.to_owned(), scheme);
    }
    for authorizer in export.authorizers {
        let mut scheme = match &authorizer.kind {
            HttpAuthorizerKind::Jwt { .. } => json!({"type": "oauth2"}),
            HttpAuthorizerKind::Request { .. } => {
                json!({"type": "apiKey", "name": "Unused", "in": "header"})
            }
        };
        if export.has_extensions {
            scheme["x-amazon-apigateway-authorizer"] = authorizer_of(authorizer);
        }
        schemes.insert(scheme_name(export, authorizer), scheme);
    }
    schemes
}

/// The authorizer's name, and its id where that alone would name something else too.
fn scheme_name(export: &Export<'_>, authorizer: &HttpAuthorizer) -> String {
    let is_other = |it: &HttpAuthorizer| it.id != authorizer.id && it.name == authorizer.name;
    match authorizer.name == IAM || export.authorizers.iter().any(is_other) {
        true => format!("{}-{}", authorizer.name, authorizer.id),
        false => authorizer.name.clone(),
    }
}

fn authorizer_of(authorizer: &HttpAuthorizer) -> Value {
    let sources = authorizer.identity_sources.join(",");
    let mut extension = match &authorizer.kind {
        HttpAuthorizerKind::Jwt { issuer, audience } => {
            json!({"type": "jwt", "jwtConfiguration": {"issuer": issuer, "audience": audience}})
        }
        HttpAuthorizerKind::Request {
            uri,
            payload_format_version,
            enable_simple_responses,
            result_ttl_s,
        } => {
            json!({
                "type": "request", "authorizerUri": uri, "authorizerPayloadFormatVersion": payload_format_version,
                "enableSimpleResponses": enable_simple_responses, "authorizerResultTtlInSeconds": result_ttl_s,
            })
        }
    };
    if !sources.is_empty() {
        extension["identitySource"] = json!(sources);
    }
    extension
}

fn cors_of(cors: &HttpCors) -> Value {
    let all = [
        ("allowCredentials", json!(cors.allow_credentials)),
        ("allowHeaders", json!(cors.allow_headers)),
        ("allowMethods", json!(cors.allow_methods)),
        ("allowOrigins", json!(cors.allow_origins)),
        ("exposeHeaders", json!(cors.expose_headers)),
        ("maxAge", json!(cors.max_age_s)),
    ];
    all.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
