//! `$context`: what can be told of an exchange by name, in logs and in the gateway's own answers.

use std::cell::RefCell;
use std::fmt::Write;

use pitbird_names::Scope;
use pitbird_snapshot::Stage;

use crate::admitted::{Admitted, AuthorizerStory, Phase};
use crate::story::{IntegrationStory, Story, StreamTimes};

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

/// What an exchange can be asked for, its name read once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Variable {
    AccountId,
    ApiId,
    Stage,
    DeploymentId,
    IsCanaryRequest,
    DomainName,
    DomainPrefix,
    BasePathMatched,
    HttpMethod,
    Path,
    Protocol,
    RequestId,
    ExtendedRequestId,
    RequestTime,
    RequestTimeEpoch,
    ResourceId,
    ResourcePath,
    Status,
    ResponseLatency,
    ResponseLength,
    TraceId,
    SourceIp,
    UserAgent,
    ErrorMessage,
    ErrorMessageString,
    ErrorResponseType,
    ValidationError,
    FunctionStatus,
    IntegrationStatus,
    IntegrationLatency,
    IntegrationRequestId,
    IntegrationError,
    TransferMode,
    TimeToHeaders,
    TimeToContent,
    /// Of the caller, by its name; or of nobody.
    OfCaller(String),
}

/// Source: API Gateway developer guide, "Variables for access logging" and "Troubleshoot issues with response streaming".
const VARIABLES: &[(&str, Variable)] = &[
    ("accountId", Variable::AccountId),
    ("apiId", Variable::ApiId),
    ("stage", Variable::Stage),
    ("deploymentId", Variable::DeploymentId),
    ("isCanaryRequest", Variable::IsCanaryRequest),
    ("domainName", Variable::DomainName),
    ("domainPrefix", Variable::DomainPrefix),
    ("customDomain.basePathMatched", Variable::BasePathMatched),
    ("httpMethod", Variable::HttpMethod),
    ("path", Variable::Path),
    ("protocol", Variable::Protocol),
    ("requestId", Variable::RequestId),
    ("extendedRequestId", Variable::ExtendedRequestId),
    ("requestTime", Variable::RequestTime),
    ("requestTimeEpoch", Variable::RequestTimeEpoch),
    ("resourceId", Variable::ResourceId),
    ("resourcePath", Variable::ResourcePath),
    ("status", Variable::Status),
    ("responseLatency", Variable::ResponseLatency),
    ("responseLength", Variable::ResponseLength),
    ("xrayTraceId", Variable::TraceId),
    ("identity.sourceIp", Variable::SourceIp),
    ("identity.userAgent", Variable::UserAgent),
    ("error.message", Variable::ErrorMessage),
    ("error.messageString", Variable::ErrorMessageString),
    ("error.responseType", Variable::ErrorResponseType),
    ("error.validationErrorString", Variable::ValidationError),
    ("integration.status", Variable::FunctionStatus),
    ("integrationStatus", Variable::IntegrationStatus),
    ("integration.integrationStatus", Variable::IntegrationStatus),
    ("integrationLatency", Variable::IntegrationLatency),
    ("integration.latency", Variable::IntegrationLatency),
    ("integration.requestId", Variable::IntegrationRequestId),
    ("awsEndpointRequestId", Variable::IntegrationRequestId),
    ("integrationErrorMessage", Variable::IntegrationError),
    ("integration.error", Variable::IntegrationError),
    ("integration.responseTransferMode", Variable::TransferMode),
    ("integration.timeToAllHeaders", Variable::TimeToHeaders),
    ("integration.timeToFirstContent", Variable::TimeToContent),
];

impl Variable {
    /// A variable by its name without `$context.`.
    pub fn named(name: &str) -> Variable {
        let known = VARIABLES.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Variable::OfCaller(name.to_owned()), |(_, variable)| variable.clone())
    }

    /// Appends its value; nothing when it has none.
    pub fn append(&self, line: &mut String, place: Place<'_>, story: &Story<'_>) {
        let integration = story.integration;
        match self {
            Variable::AccountId => line.push_str(place.scope.account.as_str()),
            Variable::ApiId => line.push_str(place.api_id),
            Variable::Stage => line.push_str(place.stage),
            Variable::DeploymentId => line.push_str(story.deployment_id),
            Variable::IsCanaryRequest => show(line, story.is_canary),
            Variable::DomainName => story.domain_name.iter().for_each(|piece| line.push_str(piece)),
            Variable::DomainPrefix => line.push_str(story.domain_prefix),
            Variable::BasePathMatched => line.push_str(story.base_path),
            Variable::HttpMethod => line.push_str(story.method),
            Variable::Path => story.path.iter().for_each(|piece| line.push_str(piece)),
            Variable::Protocol => line.push_str(story.protocol),
            Variable::RequestId => line.push_str(story.request_id),
            Variable::ExtendedRequestId => line.push_str(story.extended_request_id),
            Variable::RequestTime => push_time(line, story.at_ms),
            Variable::RequestTimeEpoch => count(line, Some(story.at_ms)),
            Variable::ResourceId => line.push_str(story.resource.map_or("", |(id, _)| id)),
            Variable::ResourcePath => line.push_str(story.resource.map_or("", |(_, path)| path)),
            Variable::Status => count(line, Some(story.status)),
            Variable::ResponseLatency => count(line, Some(story.latency_ms())),
            Variable::ResponseLength => count(line, Some(story.response_bytes)),
            Variable::TraceId => line.push_str(story.trace_id.unwrap_or_default()),
            Variable::SourceIp => line.push_str(story.source_ip),
            Variable::UserAgent => line.push_str(story.user_agent().unwrap_or_default()),
            Variable::ErrorMessage => show(line, story.error.and_then(|error| error.message())),
            Variable::ErrorMessageString => show(line, story.error.map(|error| error.message_json())),
            Variable::ErrorResponseType => {
                line.push_str(story.error.map_or("", |error| error.response_type()))
            }
            Variable::ValidationError => {
                line.push_str(story.error.and_then(|error| error.validation()).unwrap_or_default());
            }
            Variable::FunctionStatus => count(line, integration.and_then(|integration| integration.status)),
            Variable::IntegrationStatus => {
                count(line, integration.and_then(|integration| integration.service_status));
            }
            Variable::IntegrationLatency => {
                count(line, integration.map(|integration| integration.latency_ms()));
            }
            Variable::IntegrationRequestId => {
                line.push_str(
                    integration.map_or("", |integration| integration.endpoint_id(story.request_id)),
                );
            }
            Variable::IntegrationError => {
                line.push_str(
                    integration.and_then(|integration| integration.error.as_deref()).unwrap_or_default(),
                );
            }
            Variable::TransferMode => {
                let mode =
                    |it: &IntegrationStory| if it.streamed.is_some() { "STREAMED" } else { "BUFFERED" };
                line.push_str(integration.map_or("", mode));
            }
            Variable::TimeToHeaders => count_ms(line, times(integration).and_then(|it| it.headers_us)),
            Variable::TimeToContent => count_ms(line, times(integration).and_then(|it| it.content_us)),
            Variable::OfCaller(name) => of_caller(line, name, story.admitted),
        }
    }
}

fn times(integration: Option<&IntegrationStory>) -> Option<&StreamTimes> {
    integration?.streamed.as_deref()
}

fn count_ms(line: &mut String, us: Option<u64>) {
    count(line, us.map(|us| us / 1000));
}

/// Appends a variable's value by its name; nothing when it has none.
pub(crate) fn append(line: &mut String, name: &str, place: Place<'_>, story: &Story<'_>) {
    Variable::named(name).append(line, place, story);
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

fn count(line: &mut String, number: Option<impl itoa::Integer>) {
    if let Some(number) = number {
        line.push_str(itoa::Buffer::new().format(number));
    }
}

/// Appends the time as access logs have it: written once a second on each thread.
fn push_time(line: &mut String, at_ms: u64) {
    thread_local!(static WRITTEN: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) });
    let second = at_ms / 1000;
    WRITTEN.with_borrow_mut(|(written, text)| {
        if *written != second {
            (*written, *text) = (second, pitbird_event::request_time(at_ms));
        }
        line.push_str(text);
    });
}
