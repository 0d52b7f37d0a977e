//! A method with its integration, as an operation describes it.

use pitbird_names::limits;
use pitbird_records::{Integration, IntegrationResponse, Method, MethodResponse, Resource};

use super::Laid;
use super::model::Models;
use crate::document::{self, Document, Operation, Place, Scheme};

/// The method, or none when it asks for a scheme that is none: it would let everybody in.
pub fn lay(
    document: &Document,
    operation: &Operation,
    known: Option<&Method>,
    resource: &Resource,
    laid: &mut Laid,
    models: &mut Models<'_>,
    fresh_id: &mut dyn FnMut(usize) -> String,
) -> Option<Method> {
    let mut method = Method {
        authorization_type: "NONE".to_owned(),
        operation_name: operation.id.clone(),
        request_models: models.names(&operation.bodies, fresh_id),
        ..Method::default()
    };
    authorize(document, operation, resource, laid, &mut method)?;
    if let Some(name) = &operation.validator {
        let mut validators = laid.picture.validators.iter();
        let validator = validators.find(|validator| validator.name.as_ref() == Some(name));
        // An unknown name is told as the unknown validator that it is.
        method.request_validator_id = Some(validator.map_or_else(|| name.clone(), |it| it.id.clone()));
    }
    for parameter in &operation.parameters {
        let place = match parameter.place {
            Place::Header => "header",
            Place::Query => "querystring",
            Place::Path => "path",
        };
        let name = format!("method.request.{place}.{}", parameter.name);
        method.request_parameters.insert(name, parameter.is_required);
    }
    for response in &operation.responses {
        let headers = response.headers.iter();
        let made = MethodResponse {
            response_parameters: headers.map(|it| (format!("method.response.header.{it}"), false)).collect(),
            response_models: models.names(&response.bodies, fresh_id),
        };
        method.responses.insert(response.status.clone(), made);
    }
    method.integration = match &operation.integration {
        Some(asked) => Some(integration(asked, resource)),
        None => known.and_then(|known| known.integration.clone()),
    };
    Some(method)
}

fn authorize(
    document: &Document,
    operation: &Operation,
    resource: &Resource,
    laid: &mut Laid,
    method: &mut Method,
) -> Option<()> {
    for requirement in &operation.security {
        match document.schemes.get(&requirement.scheme) {
            Some(Scheme::ApiKey) => method.api_key_required = true,
            Some(Scheme::Iam) => "AWS_IAM".clone_into(&mut method.authorization_type),
            Some(Scheme::Ignored) => {}
            Some(Scheme::Authorizer(_)) => {
                let mut authorizers = laid.picture.authorizers.iter();
                let authorizer = authorizers.find(|authorizer| authorizer.name == requirement.scheme)?;
                let is_pool = authorizer.kind == "COGNITO_USER_POOLS";
                let kind = if is_pool { "COGNITO_USER_POOLS" } else { "CUSTOM" };
                kind.clone_into(&mut method.authorization_type);
                method.authorizer_id = Some(authorizer.id.clone());
                if is_pool {
                    method.authorization_scopes.clone_from(&requirement.scopes);
                }
            }
            Some(Scheme::Broken) => return None,
            None => {
                let Operation { verb, .. } = operation;
                laid.warnings.push(format!(
                    "Unable to find security definition '{}' of method '{verb} {}'. The method will not be created.",
                    requirement.scheme, resource.path
                ));
                return None;
            }
        }
    }
    if let Some(kind) = operation.auth.as_ref().filter(|_| method.authorization_type == "NONE") {
        method.authorization_type.clone_from(kind);
    }
    Some(())
}

fn integration(asked: &document::Integration, resource: &Resource) -> Integration {
    let timeout_ms = asked.timeout_ms.map(|wait| u32::try_from(wait).unwrap_or(u32::MAX));
    let response = |(pattern, response): &(String, document::IntegrationResponse)| {
        let made = IntegrationResponse {
            selection_pattern: Some(pattern.clone()).filter(|pattern| pattern != "default"),
            response_parameters: response.parameters.clone(),
            response_templates: response.templates.clone(),
            content_handling: response.content_handling.clone(),
        };
        (response.status.clone(), made)
    };
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Integration {
        kind: asked.kind.clone(),
        http_method: given(&asked.http_method),
        uri: given(&asked.uri),
        connection_type: given(&asked.connection_type),
        connection_id: given(&asked.connection_id),
        credentials: given(&asked.credentials),
        skips_tls_verification: asked.skips_tls_verification,
        request_parameters: asked.request_parameters.clone(),
        request_templates: asked.request_templates.clone(),
        passthrough_behavior: given(&asked.passthrough_behavior)
            .unwrap_or_else(|| "WHEN_NO_MATCH".to_owned()),
        content_handling: given(&asked.content_handling),
        // What doesn't fit is out of the service's bounds too, and refused there.
        timeout_ms: timeout_ms.unwrap_or(limits::INTEGRATION_TIMEOUT_MS),
        is_streamed: asked.response_transfer_mode.as_deref() == Some("STREAM"),
        cache_namespace: Some(given(&asked.cache_namespace).unwrap_or_else(|| resource.id.clone())),
        cache_key_parameters: asked.cache_key_parameters.clone(),
        responses: asked.responses.iter().map(response).collect(),
    }
}
