//! `x-amazon-apigateway-integration`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::member::{self, Source};
use crate::document::{Integration, IntegrationResponse, Texts};

/// Reads an operation's integration; one that has the wrong form is an error of the document's.
pub fn read<'t>(source: &mut Source<'t>, operation: &'t Value, template: &str) -> Option<Integration> {
    let found = operation.get("x-amazon-apigateway-integration")?;
    let found = source.resolve(found, "integration").filter(|found| is_well_formed(found));
    let Some(at) = found else {
        source.fail(format!(
            "Unable to parse API definition because of a malformed integration at path {template}."
        ));
        return None;
    };
    let text = |name: &str| member::text(at, name);
    let tls = at.get("tlsConfig");
    Some(Integration {
        kind: member::upper(at, "type").unwrap_or_default(),
        http_method: member::upper(at, "httpMethod"),
        uri: text("uri"),
        credentials: text("credentials"),
        connection_type: member::upper(at, "connectionType"),
        connection_id: text("connectionId"),
        request_parameters: member::texts(at, "requestParameters"),
        request_templates: member::texts(at, "requestTemplates"),
        passthrough_behavior: member::upper(at, "passthroughBehavior"),
        content_handling: member::upper(at, "contentHandling"),
        cache_namespace: text("cacheNamespace"),
        cache_key_parameters: at.get("cacheKeyParameters").map(member::list).unwrap_or_default(),
        timeout_ms: member::whole(at, "timeoutInMillis"),
        skips_tls_verification: tls.and_then(|tls| member::switch(tls, "insecureSkipVerification")),
        response_transfer_mode: member::upper(at, "responseTransferMode"),
        responses: responses(at),
        payload_format_version: text("payloadFormatVersion"),
        subtype: text("integrationSubtype"),
        response_parameters: response_parameters(at),
        server_name: tls.and_then(|tls| member::text(tls, "serverNameToVerify")),
    })
}

/// Has every member the kind of value that it should have?
fn is_well_formed(at: &Value) -> bool {
    let Some(members) = at.as_object() else { return false };
    members.iter().all(|(name, value)| match name.as_str() {
        "requestParameters" | "requestTemplates" => is_texts(value),
        "responses" => value.as_object().is_some_and(|responses| {
            let is_response = |response: &Value| {
                let fits = |name: &str| response.get(name).is_none_or(is_texts);
                response.is_object() && fits("responseParameters") && fits("responseTemplates")
            };
            responses.values().all(is_response)
        }),
        "responseParameters" => value.as_object().is_some_and(|statuses| statuses.values().all(is_texts)),
        "tlsConfig" => value.is_object(),
        "cacheKeyParameters" => value.is_array(),
        "timeoutInMillis" => member::whole(at, name).is_some(),
        name if name.starts_with("x-") => true,
        _ => value.is_null() || member::scalar(value).is_some(),
    })
}

fn is_texts(value: &Value) -> bool {
    let is_text = |value: &Value| value.is_null() || member::scalar(value).is_some();
    value.as_object().is_some_and(|members| members.values().all(is_text))
}

fn response_parameters(at: &Value) -> BTreeMap<String, Texts> {
    let Some(statuses) = at.get("responseParameters") else { return BTreeMap::new() };
    let names = statuses.as_object().into_iter().flatten().map(|(status, _)| status);
    names.map(|status| (status.clone(), member::texts(statuses, status))).collect()
}

fn responses(at: &Value) -> Vec<(String, IntegrationResponse)> {
    let found = at.get("responses").and_then(Value::as_object).into_iter().flatten();
    let read = |response: &Value| IntegrationResponse {
        status: member::text(response, "statusCode").unwrap_or_default(),
        parameters: member::texts(response, "responseParameters"),
        templates: member::texts(response, "responseTemplates"),
        content_handling: member::upper(response, "contentHandling"),
    };
    found.map(|(pattern, response)| (pattern.clone(), read(response))).collect()
}
