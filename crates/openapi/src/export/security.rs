//! Security schemes, and which of them a method asks for.

use pitbird_records::{Authorizer, Deployment, Method};
use serde_json::{Map, Value, json};

use super::Export;

const API_KEY: &str = "api_key";
const IAM: &str = "sigv4";

pub fn schemes(deployment: &Deployment, export: &Export<'_>) -> Map<String, Value> {
    let mut methods = deployment.resources.iter().flat_map(|resource| resource.methods.values());
    let mut schemes = Map::new();
    if methods.clone().any(|method| method.api_key_required) {
        schemes.insert(API_KEY.to_owned(), json!({"type": "apiKey", "name": "x-api-key", "in": "header"}));
    }
    if methods.any(|method| method.authorization_type == "AWS_IAM") {
        let scheme = json!({"type": "apiKey", "name": "Authorization", "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4"});
        schemes.insert(IAM.to_owned(), scheme);
    }
    for it in &deployment.authorizers {
        schemes.insert(it.name.clone(), scheme(it, export.has_authorizers));
    }
    schemes
}

/// What a method asks for, one alternative each as the service writes it.
pub fn requirements(deployment: &Deployment, method: &Method) -> Vec<Value> {
    let mut requirements = Vec::new();
    if method.authorization_type == "AWS_IAM" {
        requirements.push(json!({IAM: []}));
    }
    let authorizer = deployment.authorizers.iter().find(|it| Some(&it.id) == method.authorizer_id.as_ref());
    if let Some(authorizer) = authorizer {
        requirements.push(json!({authorizer.name.as_str(): method.authorization_scopes}));
    }
    if method.api_key_required {
        requirements.push(json!({API_KEY: []}));
    }
    requirements
}

fn scheme(authorizer: &Authorizer, has_authorizers: bool) -> Value {
    let source = authorizer.identity_source.as_deref().unwrap_or_default();
    let header = source.strip_prefix("method.request.header.").filter(|header| !header.contains(','));
    let header = header.filter(|_| authorizer.kind != "REQUEST").unwrap_or("Unused");
    let mut scheme = json!({"type": "apiKey", "name": header, "in": "header"});
    scheme["x-amazon-apigateway-authtype"] = json!(authorizer.auth_type.as_deref().unwrap_or("custom"));
    if has_authorizers {
        scheme["x-amazon-apigateway-authorizer"] = extension(authorizer);
    }
    scheme
}

fn extension(authorizer: &Authorizer) -> Value {
    let mut extension = json!({"type": authorizer.kind.to_ascii_lowercase()});
    for (name, text) in [
        ("authorizerUri", &authorizer.uri),
        ("authorizerCredentials", &authorizer.credentials),
        ("identitySource", &authorizer.identity_source),
        ("identityValidationExpression", &authorizer.identity_validation_expression),
    ] {
        if let Some(text) = text {
            extension[name] = json!(text);
        }
    }
    if let Some(seconds) = authorizer.result_ttl_s {
        extension["authorizerResultTtlInSeconds"] = json!(seconds);
    }
    if !authorizer.provider_arns.is_empty() {
        extension["providerARNs"] = json!(authorizer.provider_arns);
    }
    extension
}
