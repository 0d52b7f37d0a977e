//! Security schemes: which of them mean something to a gateway.

use std::collections::BTreeMap;

use serde_json::Value;

use super::member::{self, Source};
use crate::document::{Authorizer, Form, Scheme};

pub fn schemes(source: &mut Source<'_>) -> BTreeMap<String, Scheme> {
    let tree = source.tree;
    let found = match source.form {
        Form::Swagger2 => source.object(tree, "", "securityDefinitions"),
        Form::OpenApi30 => tree
            .get("components")
            .filter(|components| components.is_object())
            .and_then(|components| source.object(components, "components", "securitySchemes")),
    };
    let found = found.and_then(Value::as_object).into_iter().flatten();
    found.map(|(name, definition)| (name.clone(), scheme(source, name, definition))).collect()
}

fn scheme<'t>(source: &mut Source<'t>, name: &str, definition: &'t Value) -> Scheme {
    let Some(definition) = source.resolve(definition, "security definition") else { return Scheme::Broken };
    let text = |member: &str| member::text(definition, member);
    let auth_type = text("x-amazon-apigateway-authtype");
    if auth_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("awsSigv4")) {
        return Scheme::Iam;
    }
    let kind = text("type").unwrap_or_default();
    let header = text("name").filter(|_| kind == "apiKey" && text("in").as_deref() == Some("header"));
    if let Some(extension) = definition.get("x-amazon-apigateway-authorizer") {
        if extension.is_object() {
            return Scheme::Authorizer(Box::new(authorizer(extension, auth_type, header)));
        }
    } else if auth_type.is_none() {
        if header.is_some_and(|header| header.eq_ignore_ascii_case("x-api-key")) {
            return Scheme::ApiKey;
        }
        source.warn(format!("Unsupported security definition type '{kind}' for '{name}'. Ignoring."));
        return Scheme::Ignored;
    }
    source.warn(format!(
        "Unable to create authorizer from security definition: '{name}'. Extension x-amazon-apigateway-authorizer is \
         required. Any methods with security: '{name}' will not be created. If this security definition is not a \
         configured authorizer, remove the x-amazon-apigateway-authtype extension and it will be ignored."
    ));
    Scheme::Broken
}

fn authorizer(at: &Value, auth_type: Option<String>, header: Option<String>) -> Authorizer {
    let text = |name: &str| member::text(at, name);
    let list = |at: &Value, name: &str| at.get(name).map(member::list).unwrap_or_default();
    let jwt = at.get("jwtConfiguration");
    let sources = list(at, "identitySource").join(",");
    Authorizer {
        kind: text("type").unwrap_or_default().to_ascii_lowercase(),
        auth_type,
        uri: text("authorizerUri"),
        credentials: text("authorizerCredentials"),
        identity_source: Some(sources).filter(|sources| !sources.is_empty()),
        identity_validation_expression: text("identityValidationExpression"),
        result_ttl_s: member::whole(at, "authorizerResultTtlInSeconds"),
        provider_arns: list(at, "providerARNs"),
        header,
        payload_format_version: text("authorizerPayloadFormatVersion"),
        enable_simple_responses: member::switch(at, "enableSimpleResponses"),
        issuer: jwt.and_then(|jwt| member::text(jwt, "issuer")),
        audience: jwt.map(|jwt| list(jwt, "audience")).unwrap_or_default(),
    }
}
