//! What there is to tell of each step of an exchange. Source of the words and their order: execution logs of the service that were
//! published, those of its test console among them.

use bytes::Bytes;
use http::{HeaderMap, Response};
use pitbird_names::arn;
use pitbird_records::usage_plan::Throttle;
use pitbird_snapshot::LambdaTarget;

use super::words::{body as text, headers, map, masked_key, usual_spelling};
use crate::GatewayError;
use crate::admitted::Admitted;
use crate::arrival::Arrival;
use crate::execution_log::Log;
use crate::integrate::{Outcome, Seen, permission_source};
use crate::names_shown::NamesShown;
use crate::routed::Routed;

/// A request came.
pub(crate) fn arrived(log: Log<'_>, arrival: &Arrival<'_>) {
    log.info(|| format!("Extended Request Id: {}", arrival.extended_request_id));
}

/// Begins to verify the usage plan of the API key that a request brings, if its method asks for one.
pub(crate) fn verify_plan(routed: &Routed<'_, '_>, arrival: &Arrival<'_>, key: Option<&str>) {
    let id = &arrival.request_id;
    routed.log.info(|| {
        let (shown, at) = (shown(key), at(routed));
        format!("Verifying Usage Plan for request: {id}. API Key: {shown} API Stage: {at}")
    });
}

/// The usage plan lets the request pass, or it needs none.
pub(crate) fn plan_verified(routed: &Routed<'_, '_>, key: Option<&str>) {
    let (method, path) = (&routed.method.name, &routed.matched.value.path);
    if key.is_none() {
        routed.log.info(|| {
            format!(
                "API Key  authorized because method '{method} {path}' does not require API Key. Request will not contribute \
                 to throttle or quota limits"
            )
        });
    }
    routed.log.info(|| {
        format!("Usage Plan check succeeded for API Key {} and API Stage {}", shown(key), at(routed))
    });
}

/// The key that a request brings, or that it brings none, doesn't let it pass.
pub(crate) fn key_refused(routed: &Routed<'_, '_>, key: Option<&str>, why: &str) {
    let (method, path) = (&routed.method.name, &routed.matched.value.path);
    routed.log.info(|| {
        format!(
            "API Key {} not authorized because method '{method} {path}' requires API Key and API Key is not associated with \
             a Usage Plan for API Stage {}: {why}",
            shown(key),
            at(routed)
        )
    });
}

/// A token bucket is empty.
pub(crate) fn throttled(routed: &Routed<'_, '_>, whose: &str, limit: Throttle) {
    let (api, stage) = (&routed.stage.api_id, &routed.stage.record.name);
    let (resource, verb) = (&routed.matched.value.id, routed.verb);
    let Throttle { rate_limit, burst_limit } = limit;
    routed.log.info(|| {
        format!(
            "{whose} throttle limit exceeded for RestApi {api}, Stage {stage}, Resource {resource}, HttpMethod {verb}. \
             Limit: {rate_limit:.2} Burst: {burst_limit}"
        )
    });
}

/// A key's quota is used up.
pub(crate) fn quota_exceeded(routed: &Routed<'_, '_>, key: &str, plan_id: &str) {
    routed.log.info(|| {
        format!(
            "Quota limit exceeded for API Key {}, Usage Plan {plan_id}, API Stage {}",
            masked_key(key),
            at(routed)
        )
    });
}

fn shown(key: Option<&str>) -> String {
    key.map_or_else(String::new, masked_key)
}

/// `api/stage`.
fn at(routed: &Routed<'_, '_>) -> String {
    [&*routed.stage.api_id, "/", &*routed.stage.record.name].concat()
}

/// The execution of a request that was admitted, with what it brought.
pub(crate) fn begin(routed: &Routed<'_, '_>, arrival: &Arrival<'_>, admitted: &Admitted, body: &[u8]) {
    let log = routed.log;
    if log.0.is_none() {
        return;
    }
    log.info(|| format!("Starting execution for request: {}", arrival.request_id));
    log.info(|| format!("HTTP Method: {}, Resource Path: {}", arrival.method(), arrival.target.path));
    if let Some(key) = admitted.api_key.as_ref().filter(|_| routed.method.needs_key) {
        log.trace(|| format!("API Key: {}", masked_key(&key.value)));
    }
    let Some(_) = log.traced() else { return };
    let seen = Seen::new(routed, arrival, admitted);
    log.trace(|| format!("Method request path: {}", map(seen.path_parameters())));
    log.trace(|| format!("Method request query string: {}", map(seen.query_parameters())));
    log.trace(|| {
        let names = NamesShown::read(arrival.peer.raw_head);
        let shown = |name: &str| names.shown(name).to_owned();
        format!("Method request headers: {}", headers(all(arrival.headers()), shown))
    });
    log.trace(|| format!("Method request body before transformations: {}", text(body)));
}

fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

/// A backend is asked.
pub(crate) fn asked(log: Log<'_>, uri: &str, sent: &HeaderMap, body: &[u8]) {
    log.trace(|| format!("Endpoint request URI: {uri}"));
    log.trace(|| format!("Endpoint request headers: {}", headers(all(sent), usual_spelling)));
    log.trace(|| format!("Endpoint request body after transformations: {}", text(body)));
    log.info(|| format!("Sending request to {uri}"));
}

/// A backend answered.
pub(crate) fn answered(log: Log<'_>, response: &Response<Bytes>, latency_us: u64) {
    received(log, response.status().as_u16(), latency_us);
    log.trace(|| format!("Endpoint response headers: {}", headers(all(response.headers()), usual_spelling)));
    log.trace(|| format!("Endpoint response body before transformations: {}", text(response.body())));
}

/// Lambda is asked to run a function. Nothing is signed here, so no signature is among the headers.
pub(crate) fn function_asked(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    target: &LambdaTarget,
    trace_id: &str,
    (mapped, body): (Option<&HeaderMap>, impl FnOnce() -> Bytes),
) {
    let log = routed.log;
    if log.0.is_none() {
        return;
    }
    let uri = function_uri(target, routed.method.integration.is_streamed());
    log.trace(|| format!("Endpoint request URI: {uri}"));
    log.trace(|| {
        let source = permission_source(routed, arrival);
        let sent = function_headers(target, &routed.stage.api_id, &arrival.request_id, trace_id, &source);
        let sent = sent.iter().map(|(name, value)| (*name, value.as_bytes()));
        format!(
            "Endpoint request headers: {}",
            headers(sent.chain(mapped.into_iter().flat_map(all)), usual_spelling)
        )
    });
    log.trace(|| format!("Endpoint request body after transformations: {}", text(&body())));
    log.info(|| format!("Sending request to {uri}"));
    log.endpoint_request_id(|| Some(arrival.request_id.clone()));
}

/// Where Lambda would be asked to run a function.
pub(crate) fn function_uri(target: &LambdaTarget, is_streamed: bool) -> String {
    let (scope, name) = (&target.function.scope, &target.function.name);
    let arn = arn::function(scope, name, target.qualifier.as_ref());
    let (version, operation) = match is_streamed {
        true => ("2021-11-15", "response-streaming-invocations"),
        false => ("2015-03-31", "invocations"),
    };
    format!("https://lambda.{}.amazonaws.com/{version}/functions/{arn}/{operation}", scope.region)
}

/// What Lambda is told beside the event.
pub(crate) fn function_headers(
    target: &LambdaTarget,
    api_id: &str,
    request_id: &str,
    trace_id: &str,
    source_arn: &str,
) -> [(&'static str, String); 7] {
    [
        ("x-amzn-apigateway-api-id", api_id.to_owned()),
        ("Accept", "application/json".to_owned()),
        ("User-Agent", format!("AmazonAPIGateway_{api_id}")),
        ("Host", format!("lambda.{}.amazonaws.com", target.function.scope.region)),
        ("X-Amzn-Trace-Id", trace_id.to_owned()),
        ("x-amzn-lambda-integration-tag", request_id.to_owned()),
        ("X-Amz-Source-Arn", source_arn.to_owned()),
    ]
}

/// Lambda keeps an event for a function to run later.
pub(crate) fn function_queued(log: Log<'_>, latency_us: u64) {
    received(log, 202, latency_us);
    log.trace(|| "Endpoint response body before transformations: ".to_owned());
}

/// A backend has answered, or has begun to.
pub(crate) fn received(log: Log<'_>, status: u16, latency_us: u64) {
    let latency_ms = latency_us / 1000;
    log.info(|| format!("Received response. Status: {status}, Integration latency: {latency_ms} ms"));
}

/// A function ran.
pub(crate) fn function_answered(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    trace_id: &str,
    outcome: &pitbird_invoke::Outcome,
    latency_us: u64,
) {
    let log = routed.log;
    received(log, 200, latency_us);
    log.trace(|| {
        let length = outcome.payload.len().to_string();
        let version = outcome.executed_version.to_string();
        let own = [
            ("Content-Type", Some("application/json")),
            ("Content-Length", Some(length.as_str())),
            ("x-amzn-RequestId", Some(arrival.request_id.as_str())),
            ("X-Amz-Function-Error", outcome.function_error),
            ("X-Amz-Executed-Version", Some(version.as_str())),
            ("X-Amzn-Trace-Id", Some(trace_id)),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name, value?)));
        format!("Endpoint response headers: {}", map(own))
    });
    log.trace(|| format!("Endpoint response body before transformations: {}", text(&outcome.payload)));
}

/// What came of an exchange, before its answer is packed.
pub(crate) fn finish(log: Log<'_>, arrival: &Arrival<'_>, outcome: &Outcome) {
    let Some(kept) = log.0 else { return };
    let answer = &outcome.answer;
    let failure = outcome.integration.as_ref().and_then(|integration| integration.error.as_deref());
    if let Some(failure) = failure {
        log.error(|| failure.to_owned());
    }
    match outcome.error.as_deref() {
        None => {
            log.trace(|| format!("Method response body after transformations: {}", text(&answer.body)));
            log.trace(|| {
                let own = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
                let traced = outcome.trace_id.as_deref().filter(|_| answer.is_traced);
                let traced = traced.map(|trace_id| ("X-Amzn-Trace-Id", trace_id.as_bytes()));
                let shown = |name: &str| kept.shown(name);
                format!("Method response headers: {}", headers(own.chain(traced), shown))
            });
            log.info(|| "Successfully completed execution".to_owned());
        }
        // Who may not call didn't get as far as a method.
        Some(GatewayError::Unauthorized | GatewayError::TokenExpired) => return,
        Some(error) => refused(log, arrival, error),
    }
    let completed = || format!("Method completed with status: {}", answer.status);
    match log.has_failed() {
        true => log.error(completed),
        false => log.info(completed),
    }
}

/// What was wrong with the request itself.
fn refused(log: Log<'_>, arrival: &Arrival<'_>, error: &GatewayError) {
    match error {
        GatewayError::InvalidBody(faults) => {
            let sent = arrival.header(http::header::CONTENT_TYPE).unwrap_or("application/json");
            log.info(|| {
                format!("Request body does not match model schema for content type {sent}: {faults}")
            });
        }
        GatewayError::MissingParameters(_) | GatewayError::UnsupportedMediaType => {
            log.info(|| error.message().unwrap_or_default().into_owned());
        }
        _ => {}
    }
}
