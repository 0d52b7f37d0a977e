//! `$context`: what can be told of an exchange by name, in logs and in the gateway's own answers.

use std::fmt::Write;

use pitbird_names::Scope;
use pitbird_snapshot::Stage;

use crate::admitted::{Admitted, AuthorizerStory, Phase};
use crate::story::Story;

/// The stage's own words, which no exchange changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub scope: &'a Scope,
    pub api_id: &'a str,
    pub stage: &'a str,
}

impl<'a> Place<'a> {
    pub fn of(stage: &'a Stage) -> Place<'a> {
        Place { scope: &stage.scope, api_id: &stage.api_id, stage: &stage.record.name }
    }
}

/// Appends a variable's value; nothing when it has none. Source: API Gateway developer guide, "Variables for access
/// logging".
pub(crate) fn append(line: &mut String, name: &str, place: Place<'_>, story: &Story<'_>) {
    let integration = story.integration;
    match name {
        "accountId" => line.push_str(place.scope.account.as_str()),
        "apiId" => line.push_str(place.api_id),
        "stage" => line.push_str(place.stage),
        "deploymentId" => line.push_str(story.deployment_id),
        "isCanaryRequest" => show(line, story.is_canary),
        "domainName" => line.push_str(&story.domain_name),
        "domainPrefix" => line.push_str(story.domain_prefix),
        "customDomain.basePathMatched" => line.push_str(story.base_path),
        "httpMethod" => line.push_str(story.method),
        "path" => line.push_str(&story.path),
        "protocol" => line.push_str(story.protocol),
        "requestId" => line.push_str(story.request_id),
        "extendedRequestId" => line.push_str(story.extended_request_id),
        "requestTime" => line.push_str(&pitbird_event::request_time(story.at_ms)),
        "requestTimeEpoch" => show(line, Some(story.at_ms)),
        "resourceId" => line.push_str(story.resource.map_or("", |(id, _)| id)),
        "resourcePath" => line.push_str(story.resource.map_or("", |(_, path)| path)),
        "status" => show(line, Some(story.status)),
        "responseLatency" => show(line, Some(story.latency_ms())),
        "responseLength" => show(line, Some(story.response_bytes)),
        "xrayTraceId" => line.push_str(story.trace_id.unwrap_or_default()),
        "identity.sourceIp" => line.push_str(story.source_ip),
        "identity.userAgent" => line.push_str(story.user_agent.unwrap_or_default()),
        "error.message" => show(line, story.error.and_then(|error| error.message())),
        "error.messageString" => show(line, story.error.map(|error| error.message_json())),
        "error.responseType" => line.push_str(story.error.map_or("", |error| error.response_type())),
        "error.validationErrorString" => {
            line.push_str(story.error.and_then(|error| error.validation()).unwrap_or_default());
        }
        "integration.status" => show(line, integration.and_then(|integration| integration.status)),
        "integrationStatus" | "integration.integrationStatus" => {
            show(line, integration.and_then(|integration| integration.service_status));
        }
        "integrationLatency" | "integration.latency" => {
            show(line, integration.map(|integration| integration.latency_ms()));
        }
        "integration.requestId" => line.push_str(integration.map_or("", |_| story.request_id)),
        "integrationErrorMessage" | "integration.error" => {
            line.push_str(
                integration.and_then(|integration| integration.error.as_deref()).unwrap_or_default(),
            );
        }
        _ => of_caller(line, name, story.admitted),
    }
}

/// Appends what is known of the caller.
fn of_caller(line: &mut String, name: &str, admitted: &Admitted) {
    let signer = admitted.signer.as_deref();
    let phase = |phase: &'_ Option<Phase>, name: &str| {
        let phase = phase.as_ref()?;
        match name {
            "status" => Some(phase.status.to_string()),
            "latency" => Some(phase.latency_ms.to_string()),
            "error" => phase.error.clone(),
            _ => None,
        }
    };
    match name {
        "identity.accountId" => show(line, signer.map(|signer| &signer.account)),
        "identity.caller" | "identity.user" => show(line, signer.map(|signer| &signer.user_id)),
        "identity.userArn" => show(line, signer.map(|signer| &signer.principal)),
        "identity.accessKey" => show(line, signer.map(|signer| &signer.access_key_id)),
        "identity.apiKey" => show(line, admitted.api_key.as_ref().map(|key| &key.value)),
        "identity.apiKeyId" => show(line, admitted.api_key.as_ref().map(|key| &key.id)),
        _ => match name.split_once('.') {
            Some(("authenticate", name)) => show(line, phase(&admitted.authenticate, name)),
            Some(("authorize", name)) => show(line, phase(&admitted.authorize, name)),
            Some(("authorizer", name)) => {
                if let Some(story) = &admitted.authorizer {
                    of_authorizer(line, name, story);
                }
            }
            _ => {}
        },
    }
}

fn of_authorizer(line: &mut String, name: &str, story: &AuthorizerStory) {
    match name {
        "latency" | "integrationLatency" => show(line, Some(story.latency_ms)),
        "integrationStatus" => show(line, story.integration_status),
        "status" => show(line, Some(story.status)),
        "error" => show(line, story.error.as_ref()),
        "principalId" => show(line, story.result.as_ref().map(|result| &result.principal_id)),
        _ if name.starts_with("claims.") => {
            let claim = name.strip_prefix("claims.");
            let found = story.claims.iter().flatten().find(|(of, _)| Some(of.as_str()) == claim);
            show(line, found.map(|(_, value)| value));
        }
        _ => {
            let context = story.result.iter().flat_map(|result| &result.context);
            show(line, context.into_iter().find(|(of, _)| of == name).map(|(_, value)| value));
        }
    }
}

fn show(line: &mut String, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        write!(line, "{value}").expect("a String takes all text");
    }
}
