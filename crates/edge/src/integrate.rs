mod content;
pub(crate) mod headers;
mod http;
mod mapped;
mod request;
mod streamed;

pub(crate) use request::Seen;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::header;
use bytes::Bytes;
use pitbird_event::MediaTypes;
use pitbird_invoke::{Event, Invocation, Invoker, Refused, Unqueued};
use pitbird_names::arn;
use pitbird_snapshot::{Function, Integration, InvocationSource, LambdaTarget, Mock, MockFault, Snapshot};
use pitbird_telemetry::tally::Pair;
use serde::Deserialize;

use crate::GatewayError;
use crate::admitted::Admitted;
use crate::answer::Answer;
use crate::arrival::Arrival;
use crate::backend::Backend;
use crate::exchanged::exchanged;
use crate::execution_log;
use crate::large::LargeBodies;
use crate::routed::Routed;
use crate::services::Services;
use crate::story::{EndpointId, IntegrationStory};
use crate::streamed::{Next, Stream};
use crate::timer::Timer;
use crate::trace::Traced;
use crate::used::{FunctionTally, FunctionUse};

/// The integration's answer or the gateway's own, and what there is to tell about the integration. It goes through many hands, so what
/// few exchanges have is in boxes.
pub(crate) struct Outcome {
    pub answer: Answer,
    pub integration: Option<Box<IntegrationStory>>,
    pub error: Option<Box<GatewayError>>,
    /// Whether the stage's cache had the answer; `None` where nothing is cached.
    pub is_cache_hit: Option<bool>,
    /// The exchange's trace, where it has one: those with functions do.
    pub trace_id: Option<String>,
    /// What functions have used for it, if any ran or was to.
    pub functions: Option<Box<FunctionUse>>,
    /// Where the canary answers the same request, and somebody compares.
    pub pair: Option<Arc<Pair>>,
    /// Where the answer's body is passed on as it comes: it, which is taken out while it is under way.
    pub stream: Option<Box<Stream>>,
}

/// What integrations are served with.
pub(crate) struct Means<'a> {
    pub snapshot: &'a Snapshot,
    pub invoker: &'a Invoker,
    pub backend: &'a Backend,
    pub large: &'a LargeBodies,
    /// `None` where nobody serves any.
    pub services: Option<&'a dyn Services>,
    /// Who calls.
    pub admitted: &'a Admitted,
    /// What functions use on the way.
    pub functions: FunctionTally,
}

/// Asks a method's integration.
pub(crate) async fn integrate(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    body: Bytes,
    means: &Means<'_>,
) -> Outcome {
    let asked = arrival.trace.as_ref().and_then(Traced::asks);
    let outcome = ask(routed, arrival, body, means).await;
    if let Some(traced) = &arrival.trace {
        traced.answered(asked);
    }
    outcome
}

async fn ask(routed: &Routed<'_, '_>, arrival: &Arrival<'_>, body: Bytes, means: &Means<'_>) -> Outcome {
    match &routed.method.integration {
        Integration::Mock(mock) => of_mock(routed, mock, arrival),
        Integration::LambdaProxy { target: at, timeout_ms, is_event, is_streamed } => {
            let trace_id = arrival.new_trace_id();
            let limit = Duration::from_millis((*timeout_ms).into());
            let mut outcome = match routed.track.function(*at) {
                Ok(target) => match permitted(routed, arrival, (*at, target), means) {
                    Some(function) => {
                        let event = event(routed, arrival, means.admitted, &trace_id, &body);
                        let asked = (None, || event.clone());
                        execution_log::function_asked(routed, arrival, target, &trace_id, asked);
                        let invocation = invocation(arrival, event, &trace_id);
                        if *is_event {
                            Box::pin(later(routed, target, invocation, means)).await
                        } else if *is_streamed {
                            let whom = (function, target);
                            Box::pin(streamed::function(routed, arrival, whom, invocation, limit, means))
                                .await
                        } else {
                            invoke(routed, arrival, (function, target), invocation, limit, means).await
                        }
                    }
                    None => {
                        let event = || event(routed, arrival, means.admitted, &trace_id, &body);
                        execution_log::function_asked(routed, arrival, target, &trace_id, (None, event));
                        unpermitted()
                    }
                },
                Err(unrenderable) => misconfigured(unrenderable),
            };
            outcome.trace_id = Some(trace_id);
            outcome
        }
        // Boxed, as is whatever else has much to keep while it waits: every request's state would have room for it, and is moved.
        Integration::HttpProxy(proxy) => Box::pin(http::proxy(routed, arrival, body, proxy, means)).await,
        Integration::Mapped(mapped) => {
            // A mock tells nobody of a trace that isn't recorded.
            let is_told =
                !matches!(mapped.backend, pitbird_snapshot::Backend::Mock) || arrival.trace.is_some();
            let trace_id = is_told.then(|| arrival.new_trace_id());
            let told = trace_id.as_deref().unwrap_or_default();
            let mut outcome = mapped::integrate(routed, arrival, body, mapped, told, means).await;
            outcome.trace_id = trace_id;
            outcome
        }
        Integration::Unconfigured => unanswerable(routed, "Invalid integration"),
    }
}

/// The gateway's answer where no backend was asked.
fn unanswerable(routed: &Routed<'_, '_>, why: &str) -> Outcome {
    routed.log.error(|| format!("{MISCONFIGURED}{why}"));
    Outcome::error(GatewayError::ApiConfiguration)
}

const MISCONFIGURED: &str = "Execution failed due to configuration error: ";

fn misconfigured(why: impl std::fmt::Display) -> Outcome {
    Outcome::failed(GatewayError::ApiConfiguration, format!("{MISCONFIGURED}{why}"))
}

/// No integration response is for what the backend answered.
const NO_OUTPUT: &str = "No match for output mapping and no default output mapping configured";

/// A mock's mapped request names no status.
const NO_STATUS: &str = "Unable to parse statusCode. It should be an integer.";

fn unpermitted() -> Outcome {
    misconfigured("Invalid permissions on Lambda function")
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

fn of_mock(routed: &Routed<'_, '_>, mock: &Mock, arrival: &Arrival<'_>) -> Outcome {
    match mock.answer(arrival.header(header::CONTENT_TYPE)) {
        Ok(answer) => {
            routed.log.spell(answer.spelled.iter().map(String::as_str));
            Outcome::answer(Answer::of_mock(answer))
        }
        Err(MockFault::UnsupportedMediaType) => Outcome::error(GatewayError::UnsupportedMediaType),
        Err(MockFault::NoStatus) => unanswerable(routed, NO_STATUS),
        Err(MockFault::NoOutput) => unanswerable(routed, NO_OUTPUT),
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
    let Routed { stage, track, .. } = routed;
    let function = means.snapshot.function(&target.function)?;
    if let Some(role) = &track.roles[at] {
        let arn = arn::function(&function.scope, &function.name, target.qualifier.as_ref());
        return means.services?.may(role, "lambda:InvokeFunction", &arn).then_some(function);
    }
    let arn = permission_source(routed, arrival);
    let account = stage.scope.account.as_str();
    let source = InvocationSource { service: "apigateway.amazonaws.com", arn: &arn, account };
    function.policy(target.qualifier.as_ref())?.allows(&source).then_some(function)
}

/// What a function's policy is asked for: the ARN of the method that invokes it.
pub(crate) fn permission_source(routed: &Routed<'_, '_>, arrival: &Arrival<'_>) -> String {
    let Routed { stage, matched, .. } = routed;
    let path = &matched.value.path;
    arn::execute_api(&stage.scope, &stage.api_id, &stage.record.name, arrival.method(), path)
}

async fn invoke(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    (function, target): (&Function, &LambdaTarget),
    invocation: Invocation,
    limit: Duration,
    means: &Means<'_>,
) -> Outcome {
    let (outcome, latency_us) = match run(routed, arrival, (function, target), invocation, limit, means).await
    {
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
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    (function, target): (&Function, &LambdaTarget),
    invocation: Invocation,
    limit: Duration,
    means: &Means<'_>,
) -> Result<(pitbird_invoke::Outcome, u64), Outcome> {
    let trace_id = routed.log.0.and_then(|_| invocation.trace_id.clone()).unwrap_or_default();
    let began = Instant::now();
    let invoked = means.invoker.invoke(function, target.qualifier.as_ref(), fastrand::f64(), invocation);
    let own = Timer::default();
    let invoked = arrival.peer.timer.unwrap_or(&own).within(limit, invoked).await;
    let latency_us = began.elapsed().as_micros() as u64;
    let mut failed = match invoked {
        Some(Ok(outcome)) => {
            execution_log::function_answered(routed, arrival, &trace_id, &outcome, latency_us);
            means.functions.ran(&outcome);
            return Ok((outcome, latency_us));
        }
        None => timed_out(),
        Some(Err(refused)) => not_run(routed, arrival, means, &refused),
    };
    if let Some(integration) = &mut failed.integration {
        integration.latency_us = latency_us;
    }
    Err(failed)
}

fn timed_out() -> Outcome {
    Outcome::failed(GatewayError::IntegrationTimeout, "Execution failed due to a timeout error")
}

/// What the gateway answers when a function wasn't run.
fn not_run(routed: &Routed<'_, '_>, arrival: &Arrival<'_>, means: &Means<'_>, refused: &Refused) -> Outcome {
    let why = match refused {
        Refused::Throttled(_) => {
            means.functions.throttled();
            let id = &arrival.request_id;
            routed
                .log
                .error(|| format!("Lambda invocation failed with status: 429. Lambda request id: {id}"));
            "Rate Exceeded.".to_owned()
        }
        other => other.to_string(),
    };
    Outcome::failed(refusal(refused), format!("{MISCONFIGURED}{why}"))
}

/// What it answers when a function ran, but not well.
fn ran(error: GatewayError, why: String) -> Outcome {
    let mut failed = Outcome::failed(error, why);
    if let Some(integration) = &mut failed.integration {
        integration.service_status = Some(200);
        integration.endpoint_id = EndpointId::Own;
    }
    failed
}

fn malformed(arrival: &Arrival<'_>, malformed: &dyn std::fmt::Display) -> Outcome {
    tracing::debug!(request_id = arrival.request_id, %malformed, "a function's answer is none");
    ran(GatewayError::BadIntegrationAnswer, format!("{MISCONFIGURED}Malformed Lambda proxy response"))
}

/// Keeps an event for a function to run later; gives the microseconds that it took.
async fn enqueue(
    routed: &Routed<'_, '_>,
    target: &LambdaTarget,
    invocation: Invocation,
    means: &Means<'_>,
) -> Result<u64, Outcome> {
    let began = Instant::now();
    let LambdaTarget { function, qualifier } = target;
    let (scope, name) = (function.scope.clone(), function.name.clone());
    let event = Event { scope, function: name, qualifier: qualifier.clone(), invocation };
    match means.invoker.enqueue(event).await {
        Ok(()) => {
            let latency_us = began.elapsed().as_micros() as u64;
            execution_log::function_queued(routed.log, latency_us);
            Ok(latency_us)
        }
        Err(Unqueued::PayloadTooLarge) => Err(Outcome::error(GatewayError::RequestTooLarge)),
        Err(unqueued) => Err(misconfigured(unqueued)),
    }
}

/// A proxy integration whose function runs later: Lambda's empty 202 is all that there is to tell.
async fn later(
    routed: &Routed<'_, '_>,
    target: &LambdaTarget,
    invocation: Invocation,
    means: &Means<'_>,
) -> Outcome {
    match enqueue(routed, target, invocation, means).await {
        Ok(latency_us) => {
            let endpoint_id = EndpointId::Own;
            let story =
                IntegrationStory { latency_us, service_status: Some(202), endpoint_id, ..Default::default() };
            let answer = Answer { status: 200, headers: Vec::new(), body: Bytes::new(), is_traced: true };
            Outcome { integration: Some(Box::new(story)), ..Outcome::answer(answer) }
        }
        Err(outcome) => outcome,
    }
}

/// What a function's answer, or its failure, makes of the exchange.
fn of_function(routed: &Routed<'_, '_>, arrival: &Arrival<'_>, outcome: &pitbird_invoke::Outcome) -> Outcome {
    if outcome.function_error.is_some() {
        let why = function_failure(&arrival.request_id, &outcome.payload);
        return ran(GatewayError::BadIntegrationAnswer, why);
    }
    let accept = arrival.headers().get(header::ACCEPT).map(|value| value.as_bytes());
    let binary = MediaTypes(&routed.track.deployment.binary_media_types);
    match pitbird_event::reply(&outcome.payload, accept, binary) {
        Ok(answer) => {
            routed.log.spell(answer.headers.iter().map(|(name, _)| &**name));
            let status = Some(answer.status);
            let endpoint_id = EndpointId::Own;
            let integration =
                IntegrationStory { status, service_status: Some(200), endpoint_id, ..Default::default() };
            let answer = Answer::of_function(answer);
            Outcome { integration: Some(Box::new(integration)), ..Outcome::answer(answer) }
        }
        Err(error) => malformed(arrival, &error),
    }
}

/// A function's error as the gateway tells it: its message, or all of it where it has none.
pub(crate) fn function_failure(id: &str, payload: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Failure {
        #[serde(rename = "errorMessage")]
        error_message: String,
    }
    let failure = serde_json::from_slice::<Failure>(payload).map(|failure| failure.error_message);
    let message = failure.unwrap_or_else(|_| String::from_utf8_lossy(payload).into_owned());
    format!(
        "Lambda execution failed with status 200 due to customer function error: {message}. Lambda request id: {id}"
    )
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
        Outcome {
            answer,
            integration: None,
            error: None,
            is_cache_hit: None,
            trace_id: None,
            functions: None,
            pair: None,
            stream: None,
        }
    }

    /// Did the deployment's own code or integration decide it? Not what the cache has kept, what was refused before, or what was too
    /// much at once: none of that says anything about a release.
    pub fn is_releases_own(&self) -> bool {
        let is_refused = |error: &GatewayError| {
            error.status() < 500 || matches!(error, GatewayError::AuthorizerConfiguration)
        };
        let is_refused = self.error.as_deref().is_some_and(is_refused);
        !is_refused && !self.functions().is_throttled && self.is_cache_hit != Some(true)
    }

    pub fn functions(&self) -> FunctionUse {
        self.functions.as_deref().copied().unwrap_or_default()
    }

    /// What is passed on as it comes is over, in whatever way.
    pub fn over(&mut self, stream: Box<Stream>) {
        self.functions = stream.functions.noted();
        if let Some(integration) = &mut self.integration {
            integration.latency_us = stream.elapsed_us();
            integration.streamed = Some(Box::new(stream.times));
            integration.error = stream.broken.as_ref().map(|broken| broken.why.clone());
        }
        self.stream = Some(stream);
    }

    /// Waits for the end of what is passed on as it comes, which nobody wants.
    pub async fn drain(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        while let Next::Data(_) = std::future::poll_fn(|context| stream.poll_next(context)).await {}
        self.over(stream);
    }

    /// Bytes of the body that went to the client.
    pub fn bytes_out(&self) -> u64 {
        self.stream.as_ref().map_or(self.answer.body.len() as u64, |stream| stream.bytes)
    }

    /// The status by which the exchange counts: of an answer that broke off, what the client would have got if nothing had been
    /// sent before.
    pub fn counted_status(&self) -> u16 {
        let broken = self.stream.as_ref().and_then(|stream| stream.broken.as_ref());
        broken.map_or(self.answer.status, |broken| broken.error.status())
    }

    /// The gateway's own answer.
    pub fn error(error: GatewayError) -> Outcome {
        let answer = Answer::of_error(&error);
        Outcome { error: Some(Box::new(error)), ..Outcome::answer(answer) }
    }

    /// The gateway's answer to an integration that failed.
    fn failed(error: GatewayError, why: impl Into<String>) -> Outcome {
        let integration = IntegrationStory { error: Some(why.into()), ..Default::default() };
        Outcome { integration: Some(Box::new(integration)), ..Outcome::error(error) }
    }
}
