//! Integrations whose requests and answers are mapped: MOCK, AWS and HTTP.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response};
use pitbird_event::MediaTypes;
use pitbird_invoke::Invocation;
use pitbird_mapping::{RequestOverrides, ResponseOverrides};
use pitbird_snapshot::{
    Action, Backend, Function, HttpTarget, LambdaTarget, Mapped, Passthrough, ResponseRule, ServiceTarget,
    Target, static_status,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::content;
use super::headers::{Kind, answered};
use super::http::{self as endpoint, Additions, encoded_path};
use super::request::{self, Seen};
use super::{Means, Outcome};
use crate::GatewayError;
use crate::answer::Answer;
use crate::arrival::Arrival;
use crate::execution_log;
use crate::routed::Routed;
use crate::services::{ServiceCall, Uncalled};
use crate::story::{EndpointId, IntegrationStory};

/// What a backend answered, before it is mapped.
struct Answered {
    /// What response rules match: the status, or a function's error.
    selector: String,
    headers: HeaderMap,
    body: Bytes,
    story: Option<IntegrationStory>,
}

impl Answered {
    /// A mock's: a status without a body.
    fn mocked(status: u16) -> Answered {
        Answered { selector: status.to_string(), headers: HeaderMap::new(), body: Bytes::new(), story: None }
    }
}

/// A request as it is sent to a backend.
struct Asked {
    headers: HeaderMap,
    additions: Additions,
    body: Bytes,
}

/// A mapped integration's whole way: request mapping, backend, response mapping.
pub(crate) async fn integrate(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    body: Bytes,
    mapped: &Mapped,
    trace_id: &str,
    means: &Means<'_>,
) -> Outcome {
    let seen = Seen::new(routed, arrival, means.admitted);
    let media = bare(content_type(arrival));
    if let Some(status) = mapped.fixed_status(media) {
        return response(routed, arrival, mapped, &seen, Answered::mocked(status));
    }
    let turn = means.large.turn(&body).await;
    let asked = match turn.work(|| request(routed, arrival, body, mapped, &seen)) {
        Ok(asked) => asked,
        Err(outcome) => return *outcome,
    };
    let answered = match &mapped.backend {
        Backend::Mock => mock(&asked),
        // What waits for others is in boxes of its own: mocks are quick, and what they carry about with them counts.
        Backend::Http { .. } => Box::pin(over_http(routed, arrival, mapped, asked, trace_id, means)).await,
        Backend::Aws { target: at, verb } => match &routed.track.targets[*at] {
            Ok(Target::Function(target)) => {
                Box::pin(function(routed, arrival, mapped, (*at, target, asked), trace_id, means)).await
            }
            Ok(Target::Service(target)) => {
                Box::pin(service(routed, mapped, (*at, verb), (target, asked), means)).await
            }
            Ok(Target::Http(_)) => Err(Box::new(Outcome::error(GatewayError::ApiConfiguration))),
            Err(unrenderable) => Err(misconfigured(unrenderable)),
        },
    };
    match answered {
        Ok(answered) => {
            let turn = means.large.turn(&answered.body).await;
            turn.work(|| response(routed, arrival, mapped, &seen, answered))
        }
        Err(outcome) => *outcome,
    }
}

fn misconfigured(why: impl std::fmt::Display) -> Box<Outcome> {
    Box::new(super::misconfigured(why))
}

fn content_type<'a>(arrival: &Arrival<'a>) -> &'a str {
    arrival.header(header::CONTENT_TYPE).unwrap_or("application/json")
}

/// A media type without its parameters.
fn bare(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Maps a request by its template, its parameters and what the template overrides.
fn request(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    body: Bytes,
    mapped: &Mapped,
    seen: &Seen<'_>,
) -> Result<Asked, Box<Outcome>> {
    let media = MediaTypes(&routed.track.deployment.binary_media_types);
    let body = content::of_request(body, arrival, media, mapped.content_handling).map_err(misconfigured)?;
    let content_type = content_type(arrival);
    let text = String::from_utf8_lossy(&body);
    let additions = Additions::of(&mapped.parameters, seen, routed, &text).map_err(misconfigured)?;
    let (rendered, overrides) = match mapped.templates.of_request(bare(content_type)) {
        Some(template) => {
            let template = template.ok_or_else(|| misconfigured("Invalid mapping template"))?;
            let rendered = seen.render(template, &text).map_err(misconfigured)?;
            (Bytes::from(rendered.text), rendered.request)
        }
        None if passes(mapped) => (body.clone(), RequestOverrides::default()),
        None => return Err(Box::new(Outcome::error(GatewayError::UnsupportedMediaType))),
    };
    let mut headers = HeaderMap::new();
    // Nobody reads a mock's.
    if !matches!(mapped.backend, Backend::Mock)
        && let Ok(value) = HeaderValue::from_str(content_type)
    {
        headers.insert(header::CONTENT_TYPE, value);
    }
    let is_aws = matches!(mapped.backend, Backend::Aws { .. });
    let additions = overridden(additions, overrides);
    additions.set_headers(&mut headers, is_aws).map_err(misconfigured)?;
    Ok(Asked { headers, additions, body: rendered })
}

/// May a request that no template is for go on as it is?
fn passes(mapped: &Mapped) -> bool {
    match mapped.passthrough {
        Passthrough::WhenNoMatch => true,
        Passthrough::WhenNoTemplates => mapped.templates.is_empty(),
        Passthrough::Never => false,
    }
}

/// What a template overrides takes the place of what parameters say.
fn overridden(mut additions: Additions, overrides: RequestOverrides) -> Additions {
    for (name, values) in overrides.header {
        additions.header.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        additions.header.push((name, values));
    }
    for (name, values) in overrides.querystring {
        additions.querystring.retain(|(known, _)| *known != name);
        additions.querystring.push((name, values));
    }
    for (name, value) in overrides.path {
        additions.path.retain(|(known, _)| *known != name);
        additions.path.push((name, encoded_path(&value)));
    }
    additions
}

/// A mock's mapped request names the status of its answer, which has no body.
fn mock(asked: &Asked) -> Result<Answered, Box<Outcome>> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "statusCode")]
        status_code: u16,
    }
    let text = String::from_utf8_lossy(&asked.body);
    let strict = serde_json::from_str::<Named>(&text).map(|named| named.status_code).ok();
    let status = strict.filter(|status| (100..600).contains(status)).or_else(|| static_status(&text));
    let Some(status) = status else {
        return Err(misconfigured(super::NO_STATUS));
    };
    Ok(Answered::mocked(status))
}

async fn over_http(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    mapped: &Mapped,
    mut asked: Asked,
    trace_id: &str,
    means: &Means<'_>,
) -> Result<Answered, Box<Outcome>> {
    let Backend::Http { target, verb, trust } = &mapped.backend else {
        return Err(Box::new(Outcome::error(GatewayError::ApiConfiguration)));
    };
    let Ok(Target::Http(target)) = &routed.track.targets[*target] else {
        return Err(misconfigured("Invalid endpoint address"));
    };
    endpoint::introduce(&mut asked.headers, routed, arrival);
    if let Ok(trace) = HeaderValue::from_str(trace_id) {
        asked.headers.insert(HeaderName::from_static("x-amzn-trace-id"), trace);
    }
    if let Some(traced) = &arrival.trace {
        traced.tell(&mut asked.headers);
    }
    if !asked.headers.contains_key(header::ACCEPT) {
        asked.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    }
    let uri = asked.additions.uri(target, routed, "");
    let verb = verb.clone().unwrap_or_else(|| arrival.verb().clone());
    let terms = (Duration::from_millis(mapped.timeout_ms.into()), *trust);
    let (response, story) =
        endpoint::ask(verb, &uri, asked.headers, asked.body, terms, (routed, means)).await?;
    Ok(of_response(response, story))
}

fn of_response(response: Response<Bytes>, story: IntegrationStory) -> Answered {
    let (head, body) = response.into_parts();
    Answered { selector: head.status.as_u16().to_string(), headers: head.headers, body, story: Some(story) }
}

/// A function's answer is its result, or its error with a message that rules match.
async fn function(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    mapped: &Mapped,
    (at, target, asked): (usize, &LambdaTarget, Asked),
    trace_id: &str,
    means: &Means<'_>,
) -> Result<Answered, Box<Outcome>> {
    let told = (Some(&asked.headers), || asked.body.clone());
    execution_log::function_asked(routed, arrival, target, trace_id, told);
    let Some(function) = super::permitted(routed, arrival, (at, target), means) else {
        return Err(Box::new(super::unpermitted()));
    };
    if !asked.body.is_empty() && serde_json::from_slice::<IgnoredAny>(&asked.body).is_err() {
        return Err(misconfigured("Lambda was asked to run with something that isn't JSON"));
    }
    let invocation = Invocation {
        request_id: arrival.request_id.clone(),
        payload: asked.body,
        at_ms: arrival.at_ms as i64,
        trace_id: Some(trace_id.to_owned()),
        ..Invocation::default()
    };
    let is_event = asked
        .headers
        .get("x-amz-invocation-type")
        .is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"event"));
    if is_event {
        let latency_us = super::enqueue(routed, target, invocation, means).await?;
        let story =
            IntegrationStory { latency_us, status: Some(202), service_status: Some(202), ..of_function() };
        return Ok(Answered {
            selector: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            story: Some(story),
        });
    }
    run(routed, arrival, (function, target), invocation, mapped, means).await
}

fn of_function() -> IntegrationStory {
    IntegrationStory { endpoint_id: EndpointId::Own, ..IntegrationStory::default() }
}

async fn run(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    (function, target): (&Function, &LambdaTarget),
    invocation: Invocation,
    mapped: &Mapped,
    means: &Means<'_>,
) -> Result<Answered, Box<Outcome>> {
    #[derive(Deserialize)]
    struct Failure {
        #[serde(rename = "errorMessage", default)]
        error_message: String,
    }
    let limit = Duration::from_millis(mapped.timeout_ms.into());
    let (outcome, latency_us) =
        super::run(routed, arrival, (function, target), invocation, limit, means).await?;
    let selector = match outcome.function_error {
        None => String::new(),
        Some(_) => {
            let failure = serde_json::from_slice::<Failure>(&outcome.payload);
            failure.map(|failure| failure.error_message).unwrap_or_default()
        }
    };
    tracing::trace!(request_id = arrival.request_id, "a function answered");
    let error =
        outcome.function_error.map(|_| super::function_failure(&arrival.request_id, &outcome.payload));
    let status = Some(200);
    let story = IntegrationStory { latency_us, status, service_status: status, error, ..of_function() };
    let headers = told_by_lambda(&outcome, &arrival.request_id);
    Ok(Answered { selector, headers, body: outcome.payload, story: Some(story) })
}

/// The headers that a mapping of the answer may name.
fn told_by_lambda(outcome: &pitbird_invoke::Outcome, request_id: &str) -> HeaderMap {
    let mut headers =
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let version = outcome.executed_version.to_string();
    for (name, value) in [
        ("x-amzn-requestid", Some(request_id)),
        ("x-amz-executed-version", Some(&version)),
        ("x-amz-function-error", outcome.function_error),
    ] {
        let value = value.and_then(|value| HeaderValue::from_str(value).ok());
        headers.extend(value.map(|value| (HeaderName::from_static(name), value)));
    }
    headers
}

/// Asks an AWS service in the name of the integration's role.
async fn service(
    routed: &Routed<'_, '_>,
    mapped: &Mapped,
    (at, verb): (usize, &Method),
    (target, asked): (&ServiceTarget, Asked),
    means: &Means<'_>,
) -> Result<Answered, Box<Outcome>> {
    let (Some(services), Some(role)) = (means.services, &routed.track.roles[at]) else {
        return Err(misconfigured("Credentials are needed to call an AWS service"));
    };
    let (uri, action) = match &target.action {
        Action::Path(path) => (asked.additions.uri(path, routed, ""), None),
        Action::Name(name) => (asked.additions.uri(&HttpTarget::default(), routed, ""), Some(name.clone())),
    };
    let call = ServiceCall {
        scope: routed.stage.scope.clone(),
        region: target.region.clone(),
        service: target.service.clone(),
        subdomain: target.subdomain.clone(),
        action,
        verb: verb.clone(),
        uri,
        headers: asked.headers,
        body: asked.body,
        role: role.clone(),
    };
    if routed.log.0.is_some() {
        execution_log::asked(routed.log, &address(&call), &call.headers, &call.body);
    }
    let began = Instant::now();
    let called = services.call(call, Duration::from_millis(mapped.timeout_ms.into())).await;
    let latency_us = began.elapsed().as_micros() as u64;
    match called {
        Ok(response) => {
            execution_log::answered(routed.log, &response, latency_us);
            let id = || Some(response.headers().get("x-amzn-requestid")?.to_str().ok()?.to_owned());
            routed.log.endpoint_request_id(id);
            let status = Some(response.status().as_u16());
            let endpoint_id = id().map_or(EndpointId::None, |id| EndpointId::Its(id.into()));
            let story = IntegrationStory {
                latency_us,
                status,
                service_status: status,
                endpoint_id,
                ..Default::default()
            };
            Ok(of_response(response, story))
        }
        Err(Uncalled::Timeout) => {
            Err(Box::new(Outcome::failed(GatewayError::IntegrationTimeout, Uncalled::Timeout.to_string())))
        }
        Err(uncalled) => Err(misconfigured(uncalled)),
    }
}

/// Where AWS has the service that is called.
fn address(call: &ServiceCall) -> String {
    let ServiceCall { service, region, subdomain, action, uri, .. } = call;
    let subdomain = subdomain.as_ref().map_or_else(String::new, |subdomain| format!("{subdomain}."));
    let asked = match action {
        // What is added to it begins with a `?`.
        Some(action) => format!("/?Action={action}{}", uri.replacen('?', "&", 1)),
        None => uri.clone(),
    };
    format!("https://{subdomain}{service}.{region}.amazonaws.com{asked}")
}

/// Maps an answer by the first rule that it matches.
fn response(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    mapped: &Mapped,
    seen: &Seen<'_>,
    answered: Answered,
) -> Outcome {
    let story = answered.story.clone().map(Box::new);
    let with_story =
        |outcome: Outcome| Outcome { integration: outcome.integration.or(story.clone()), ..outcome };
    let Some(rule) = mapped.rule(&answered.selector) else {
        return with_story(*misconfigured(super::NO_OUTPUT));
    };
    match by_rule(routed, arrival, rule, seen, answered) {
        Ok(mut answer) => {
            answer.is_traced = !matches!(mapped.backend, Backend::Mock);
            Outcome { integration: story, ..Outcome::answer(answer) }
        }
        Err(outcome) => with_story(*outcome),
    }
}

fn by_rule(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    rule: &ResponseRule,
    seen: &Seen<'_>,
    answered: Answered,
) -> Result<Answer, Box<Outcome>> {
    let media = MediaTypes(&routed.track.deployment.binary_media_types);
    let template = rule.templates.of_answer(accepted(arrival));
    let mut headers = mapped_headers(routed, rule, seen, &answered)?;
    let (body, content_type, overrides) = match template {
        Some((name, template)) => {
            let template = template.ok_or_else(|| misconfigured("Invalid mapping template"))?;
            let text = String::from_utf8_lossy(&answered.body);
            let rendered = seen.render(template, &text).map_err(misconfigured)?;
            (Bytes::from(rendered.text), Cow::Borrowed(name), rendered.response)
        }
        None => (answered.body, Cow::Borrowed("application/json"), ResponseOverrides::default()),
    };
    let body = content::of_answer(body, &answered.headers, arrival, media, rule.content_handling)
        .map_err(misconfigured)?;
    for (name, values) in overrides.header {
        routed.log.spell(std::iter::once(name.as_str()));
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        headers.retain(|(known, _)| *known != name);
        append(&mut headers, &name, &values);
    }
    if !headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE) {
        headers.extend(HeaderValue::from_str(&content_type).ok().map(|value| (header::CONTENT_TYPE, value)));
    }
    Ok(Answer { status: overrides.status.unwrap_or(rule.status), headers, body, is_traced: false })
}

/// The media types that a client accepts, in its order; its wildcards accept whatever comes first.
fn accepted<'a>(arrival: &Arrival<'a>) -> impl Iterator<Item = &'a str> {
    let list = arrival.header(header::ACCEPT).unwrap_or_default();
    list.split(',').map(|item| item.split(';').next().unwrap_or_default().trim())
}

fn mapped_headers(
    routed: &Routed<'_, '_>,
    rule: &ResponseRule,
    seen: &Seen<'_>,
    answered: &Answered,
) -> Result<Vec<(HeaderName, HeaderValue)>, Box<Outcome>> {
    let mut headers = Vec::with_capacity(rule.parameters.len() + 1);
    if rule.parameters.is_empty() {
        return Ok(headers);
    }
    let body = String::from_utf8_lossy(&answered.body);
    let theirs = request::Answered(&answered.headers);
    let message = seen.message_with(&body, &theirs);
    for (to, source) in &rule.parameters {
        let pitbird_mapping::parameter::Target::Header(name) = to else { continue };
        let values = source.values(&message).map_err(misconfigured)?;
        routed.log.spell(std::iter::once(&**name));
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            append(&mut headers, &name, &values);
        }
    }
    Ok(headers)
}

/// Adds an answer's header under the name that clients get it by.
fn append(headers: &mut Vec<(HeaderName, HeaderValue)>, name: &HeaderName, values: &[String]) {
    let Some(shown) = answered(name, Kind::Mapped) else { return };
    let values = values.iter().filter_map(|value| HeaderValue::from_str(value).ok());
    headers.extend(values.map(|value| (shown.clone(), value)));
}
