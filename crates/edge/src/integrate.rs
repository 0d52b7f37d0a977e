mod content;
mod headers;
mod http;
mod mapped;
mod request;

pub(crate) use request::Seen;

use std::time::{Duration, Instant};

use ::http::header;
use bytes::Bytes;
use pitbird_event::MediaTypes;
use pitbird_invoke::{Event, Invocation, Invoker, Refused, Unqueued};
use pitbird_names::arn;
use pitbird_paths::Match;
use pitbird_snapshot::{
    Function, Integration, InvocationSource, LambdaTarget, Method, Mock, MockFault, Resource, Snapshot,
    Stage, Track,
};

use crate::GatewayError;
use crate::admitted::Admitted;
use crate::answer::Answer;
use crate::arrival::Arrival;
use crate::backend::Backend;
use crate::exchanged::exchanged;
use crate::services::Services;
use crate::story::IntegrationStory;

/// The integration's answer or the gateway's own, and what there is to tell about the integration.
pub(crate) struct Outcome {
    pub answer: Answer,
    pub integration: Option<IntegrationStory>,
    pub error: Option<Box<GatewayError>>,
    /// Whether the stage's cache had the answer; `None` where nothing is cached.
    pub is_cache_hit: Option<bool>,
    /// The exchange's trace, where it has one: those with functions do.
    pub trace_id: Option<String>,
}

/// A request that has found its method: the values of the steps before.
pub(crate) struct Routed<'r, 'a> {
    pub stage: &'r Stage,
    pub track: &'r Track,
    pub matched: Match<'r, 'a, Resource>,
    pub method: &'r Method,
    /// The request's own.
    pub verb: &'a str,
}

/// What integrations are served with.
pub(crate) struct Means<'a> {
    pub snapshot: &'a Snapshot,
    pub invoker: &'a Invoker,
    pub backend: &'a Backend,
    /// `None` where nobody serves any.
    pub services: Option<&'a dyn Services>,
    /// Who calls.
    pub admitted: &'a Admitted,
}

/// Asks a method's integration.
pub(crate) async fn integrate(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    body: Bytes,
    means: &Means<'_>,
) -> Outcome {
    match &routed.method.integration {
        Integration::Mock(mock) => of_mock(mock, arrival),
        Integration::LambdaProxy { target: at, timeout_ms, is_event } => {
            let trace_id = arrival.new_trace_id();
            let limit = Duration::from_millis((*timeout_ms).into());
            let mut outcome = match routed.track.function(*at) {
                Ok(target) => match permitted(routed, arrival, (*at, target), means) {
                    Some(function) => {
                        let event = event(routed, arrival, means.admitted, &trace_id, &body);
                        let invocation = invocation(arrival, event, &trace_id);
                        if *is_event {
                            later(target, invocation, means).await
                        } else {
                            invoke(routed, arrival, (function, target), invocation, limit, means).await
                        }
                    }
                    None => unpermitted(),
                },
                Err(unrenderable) => {
                    Outcome::failed(GatewayError::ApiConfiguration, unrenderable.to_string())
                }
            };
            outcome.trace_id = Some(trace_id);
            outcome
        }
        Integration::HttpProxy(proxy) => http::proxy(routed, arrival, body, proxy, means).await,
        Integration::Mapped(mapped) => {
            let trace_id = arrival.new_trace_id();
            let mut outcome = mapped::integrate(routed, arrival, body, mapped, &trace_id, means).await;
            outcome.trace_id = Some(trace_id);
            outcome
        }
        Integration::Unconfigured => Outcome::error(GatewayError::ApiConfiguration),
    }
}

fn unpermitted() -> Outcome {
    Outcome::failed(
        GatewayError::ApiConfiguration,
        "Execution failed due to configuration error: Invalid permissions on Lambda function",
    )
}

fn invocation(arrival: &Arrival<'_>, payload: Bytes, trace_id: &str) -> Invocation {
    Invocation {
        request_id: arrival.request_id.clone(),
        payload,
        at_ms: arrival.at_ms as i64,
        trace_id: Some(trace_id.to_owned()),
        ..Invocation::default()
    }
}

fn of_mock(mock: &Mock, arrival: &Arrival<'_>) -> Outcome {
    match mock.answer(arrival.header(header::CONTENT_TYPE)) {
        Ok(answer) => Outcome::answer(Answer::of_mock(answer)),
        Err(MockFault::UnsupportedMediaType) => Outcome::error(GatewayError::UnsupportedMediaType),
        Err(MockFault::Configuration) => Outcome::error(GatewayError::ApiConfiguration),
    }
}

/// The function, if it is there and may be invoked for this API's method: by its own policy, or in the name of the
/// integration's role.
fn permitted<'s>(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    (at, target): (usize, &LambdaTarget),
    means: &Means<'s>,
) -> Option<&'s Function> {
    let Routed { stage, track, matched, .. } = routed;
    let function = means.snapshot.function(&target.function)?;
    if let Some(role) = &track.roles[at] {
        let arn = arn::function(&function.scope, &function.name, target.qualifier.as_ref());
        return means.services?.may(role, "lambda:InvokeFunction", &arn).then_some(function);
    }
    let path = &matched.value.path;
    let arn = arn::execute_api(&stage.scope, &stage.api_id, &stage.record.name, arrival.method(), path);
    let account = stage.scope.account.as_str();
    let source = InvocationSource { service: "apigateway.amazonaws.com", arn: &arn, account };
    function.policy(target.qualifier.as_ref())?.allows(&source).then_some(function)
}

async fn invoke(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    (function, target): (&Function, &LambdaTarget),
    invocation: Invocation,
    limit: Duration,
    means: &Means<'_>,
) -> Outcome {
    let (outcome, latency_us) = match run(function, target, invocation, limit, means).await {
        Ok(ran) => ran,
        Err(outcome) => return outcome,
    };
    let mut outcome = of_function(routed, arrival, &outcome);
    if let Some(integration) = &mut outcome.integration {
        integration.latency_us = latency_us;
    }
    outcome
}

/// Runs a function, and says how long that took, in microseconds; or what the gateway answers when it didn't run.
async fn run(
    function: &Function,
    target: &LambdaTarget,
    invocation: Invocation,
    limit: Duration,
    means: &Means<'_>,
) -> Result<(pitbird_invoke::Outcome, u64), Outcome> {
    let began = Instant::now();
    let invoked = means.invoker.invoke(function, target.qualifier.as_ref(), fastrand::f64(), invocation);
    let invoked = tokio::time::timeout(limit, invoked).await;
    let latency_us = began.elapsed().as_micros() as u64;
    let mut failed = match invoked {
        Ok(Ok(outcome)) => return Ok((outcome, latency_us)),
        Err(_) => {
            Outcome::failed(GatewayError::IntegrationTimeout, "Execution failed due to a timeout error")
        }
        Ok(Err(refused)) => {
            let why = format!("Execution failed due to configuration error: {refused}");
            Outcome::failed(refusal(&refused), why)
        }
    };
    if let Some(integration) = &mut failed.integration {
        integration.latency_us = latency_us;
    }
    Err(failed)
}

/// Keeps an event for a function to run later; gives the microseconds that it took.
async fn enqueue(target: &LambdaTarget, invocation: Invocation, means: &Means<'_>) -> Result<u64, Outcome> {
    let began = Instant::now();
    let LambdaTarget { function, qualifier } = target;
    let (scope, name) = (function.scope.clone(), function.name.clone());
    let event = Event { scope, function: name, qualifier: qualifier.clone(), invocation };
    match means.invoker.enqueue(event).await {
        Ok(()) => Ok(began.elapsed().as_micros() as u64),
        Err(Unqueued::PayloadTooLarge) => Err(Outcome::error(GatewayError::RequestTooLarge)),
        Err(unqueued) => {
            let why = format!("Execution failed due to configuration error: {unqueued}");
            Err(Outcome::failed(GatewayError::ApiConfiguration, why))
        }
    }
}

/// A proxy integration whose function runs later: Lambda's empty 202 is all that there is to tell.
async fn later(target: &LambdaTarget, invocation: Invocation, means: &Means<'_>) -> Outcome {
    match enqueue(target, invocation, means).await {
        Ok(latency_us) => {
            let story = IntegrationStory { latency_us, status: None, service_status: Some(202), error: None };
            let answer = Answer { status: 200, headers: Vec::new(), body: Bytes::new(), is_traced: true };
            Outcome { integration: Some(story), ..Outcome::answer(answer) }
        }
        Err(outcome) => outcome,
    }
}

/// What a function's answer, or its failure, makes of the exchange.
fn of_function(routed: &Routed<'_, '_>, arrival: &Arrival<'_>, outcome: &pitbird_invoke::Outcome) -> Outcome {
    let ran = |error, why: String| {
        let mut failed = Outcome::failed(error, why);
        if let Some(integration) = &mut failed.integration {
            integration.service_status = Some(200);
        }
        failed
    };
    if outcome.function_error.is_some() {
        let error = String::from_utf8_lossy(&outcome.payload);
        let why = format!("Lambda execution failed with status 200 due to customer function error: {error}");
        return ran(GatewayError::BadIntegrationAnswer, why);
    }
    let accept = arrival.headers().get(header::ACCEPT).map(|value| value.as_bytes());
    let binary = MediaTypes(&routed.track.deployment.binary_media_types);
    match pitbird_event::reply(&outcome.payload, accept, binary) {
        Ok(answer) => {
            let status = Some(answer.status);
            let integration =
                IntegrationStory { latency_us: 0, status, service_status: Some(200), error: None };
            let answer = Answer::of_function(answer);
            Outcome { integration: Some(integration), ..Outcome::answer(answer) }
        }
        Err(malformed) => {
            tracing::debug!(request_id = arrival.request_id, %malformed, "a function's answer is none");
            let why = "Execution failed due to configuration error: Malformed Lambda proxy response";
            ran(GatewayError::BadIntegrationAnswer, why.to_owned())
        }
    }
}

/// What the gateway says when Lambda won't run the function: a body too large is the caller's to know, a throttle or
/// a missing function is the API's fault, anything else a bad gateway.
fn refusal(refused: &Refused) -> GatewayError {
    match refused {
        Refused::PayloadTooLarge => GatewayError::RequestTooLarge,
        Refused::Throttled(_) | Refused::Unknown(_) => GatewayError::ApiConfiguration,
        _ => GatewayError::BadIntegrationAnswer,
    }
}

fn event(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    admitted: &Admitted,
    trace_id: &str,
    body: &[u8],
) -> Bytes {
    exchanged(routed, arrival, admitted, trace_id, body, |exchange| {
        let mut event = Vec::new();
        exchange.write_event(&mut event);
        Bytes::from(event)
    })
}

impl Outcome {
    /// An integration's answer.
    pub fn answer(answer: Answer) -> Outcome {
        Outcome { answer, integration: None, error: None, is_cache_hit: None, trace_id: None }
    }

    /// The gateway's own answer.
    pub fn error(error: GatewayError) -> Outcome {
        let answer = Answer::of_error(&error);
        Outcome { error: Some(Box::new(error)), ..Outcome::answer(answer) }
    }

    /// The gateway's answer to an integration that failed.
    fn failed(error: GatewayError, why: impl Into<String>) -> Outcome {
        let integration =
            IntegrationStory { latency_us: 0, status: None, service_status: None, error: Some(why.into()) };
        Outcome { integration: Some(integration), ..Outcome::error(error) }
    }
}
