//! What is behind a route, and what becomes of its answer.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pitbird_invoke::{Invocation, Refused as NotRun};
use pitbird_snapshot::{Function, HttpApiTarget, HttpIntegration, InvocationSource, LambdaTarget};

use super::admitted::Admitted;
use super::answer::Answer;
use super::authorize::Refused;
use super::{HttpError, Routed};
use crate::Edge;
use crate::trace::Traced;

/// What an answer is whose function doesn't say it.
const USUAL_TYPE: &str = "text/plain;charset=UTF-8";
/// Source: API Gateway developer guide, "Troubleshooting issues with HTTP API Lambda integrations".
const NO_PERMISSION: &str = "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration. \
                             Check the permissions and try again.";
const FUNCTION_FAILED: &str = "The Lambda function returned the following error: Unhandled. Check your Lambda function code and try again.";
const NO_ANSWER: &str =
    "The response from the Lambda function doesn't match the format that API Gateway expects.";
const TIMED_OUT: &str = "The integration didn't answer in time.";

/// The integration's answer or the gateway's own, and what there is to tell.
#[derive(Debug)]
pub(super) struct Outcome {
    pub answer: Answer,
    pub integration: Option<Story>,
    pub error: Option<HttpError>,
    pub authorizer_error: Option<String>,
}

/// What there is to tell about the integration, if the request came that far.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    pub latency_us: u64,
    /// The status that the function or the backend answered with.
    pub status: Option<u16>,
    /// The status of the service that ran it: 200, also when the function failed.
    pub service_status: Option<u16>,
    /// What the integration calls the request: a function's request id, an AWS endpoint's `x-amzn-RequestId`.
    pub request_id: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Story {
    pub fn latency_ms(&self) -> u64 {
        self.latency_us / 1000
    }
}

impl Outcome {
    pub fn answer(answer: Answer) -> Outcome {
        Outcome { answer, integration: None, error: None, authorizer_error: None }
    }

    pub fn error(error: HttpError) -> Outcome {
        Outcome { error: Some(error.clone()), ..Outcome::answer(Answer::of_error(&error)) }
    }

    pub fn refused(refused: Refused) -> Outcome {
        Outcome { authorizer_error: refused.why, ..Outcome::error(refused.error) }
    }

    /// An integration that failed.
    pub fn failed(error: HttpError, why: impl Into<String>) -> Outcome {
        let story = Story { error: Some(why.into()), ..Story::default() };
        Outcome { integration: Some(story), ..Outcome::error(error) }
    }
}

impl Edge {
    /// Asks the route's integration.
    pub(super) async fn integrate(
        &self,
        routed: &Routed<'_, '_>,
        admitted: &Admitted,
        body: Bytes,
    ) -> Outcome {
        let integration = &routed.matched.route.integration;
        let began = Instant::now();
        let asked = routed.arrival.trace.as_ref().and_then(Traced::asks);
        let mut outcome = match &routed.stage.targets[integration.index] {
            HttpApiTarget::Function(Ok(target)) => {
                match permitted(routed, target, &routed.invocation_arn()) {
                    Some(function) => {
                        let asked = (function, target);
                        let mut outcome =
                            self.invoke_route(routed, admitted, integration, asked, &body).await;
                        // A function that ran has logged under this id.
                        if let Some(story) = outcome.integration.as_mut()
                            && story.service_status.is_some()
                        {
                            story.request_id = Some(routed.arrival.request_id.clone());
                        }
                        outcome
                    }
                    None => Outcome::failed(HttpError::Integration, NO_PERMISSION),
                }
            }
            HttpApiTarget::Function(Err(unrenderable)) => {
                Outcome::failed(HttpError::Integration, unrenderable.to_string())
            }
            HttpApiTarget::Url(url) => {
                Box::pin(super::proxy::ask(self, routed, admitted, integration, url, body)).await
            }
        };
        if let Some(traced) = &routed.arrival.trace {
            traced.answered(asked);
        }
        if let Some(story) = &mut outcome.integration {
            story.latency_us = began.elapsed().as_micros() as u64;
        }
        outcome
    }

    async fn invoke_route(
        &self,
        routed: &Routed<'_, '_>,
        admitted: &Admitted,
        integration: &HttpIntegration,
        (function, target): (&Function, &LambdaTarget),
        body: &[u8],
    ) -> Outcome {
        let trace_id = routed.arrival.new_trace_id();
        let invocation = Invocation {
            request_id: routed.arrival.request_id.clone(),
            payload: routed.event(admitted, &trace_id, body, integration.is_format_2),
            at_ms: routed.arrival.at_ms as i64,
            trace_id: Some(trace_id),
            ..Invocation::default()
        };
        let limit = Duration::from_millis(integration.record.timeout_ms.into());
        let invoked = self.invoker.invoke(function, target.qualifier.as_ref(), fastrand::f64(), invocation);
        match tokio::time::timeout(limit, invoked).await {
            Err(_) => Outcome::failed(HttpError::Unavailable, TIMED_OUT),
            Ok(Err(refused)) => not_run(&refused),
            Ok(Ok(outcome)) if outcome.function_error.is_some() => {
                ran(None, HttpError::Integration, FUNCTION_FAILED)
            }
            Ok(Ok(outcome)) => {
                let reply = match integration.is_format_2 {
                    true => pitbird_event::http_reply(&outcome.payload, USUAL_TYPE),
                    false => pitbird_event::http_reply_1(&outcome.payload, USUAL_TYPE),
                };
                match reply {
                    Ok(answer) => {
                        let status = Some(answer.status);
                        let story = Story { status, service_status: Some(200), ..Story::default() };
                        Outcome { integration: Some(story), ..Outcome::answer(Answer::of_function(answer)) }
                    }
                    Err(malformed) => {
                        let request_id = &routed.arrival.extended_request_id;
                        tracing::debug!(request_id, %malformed, "a function's answer is none");
                        ran(None, HttpError::Integration, NO_ANSWER)
                    }
                }
            }
        }
    }
}

/// The function ran, but the answer is the gateway's.
fn ran(status: Option<u16>, error: HttpError, why: &str) -> Outcome {
    let mut outcome = Outcome::failed(error, why);
    if let Some(story) = &mut outcome.integration {
        (story.status, story.service_status) = (status, Some(200));
    }
    outcome
}

fn not_run(refused: &NotRun) -> Outcome {
    let error = match refused {
        NotRun::PayloadTooLarge => HttpError::BodyTooLarge,
        NotRun::Throttled(_) => HttpError::Unavailable,
        _ => HttpError::Integration,
    };
    Outcome::failed(error, refused.to_string())
}

/// The function, if it is there and its policy lets what `arn` names invoke it.
pub(super) fn permitted<'s>(
    routed: &Routed<'s, '_>,
    target: &LambdaTarget,
    arn: &str,
) -> Option<&'s Function> {
    let function = routed.snapshot.function(&target.function)?;
    let account = routed.stage.scope.account.as_str();
    let source = InvocationSource { service: "apigateway.amazonaws.com", arn, account };
    function.policy(target.qualifier.as_ref())?.allows(&source).then_some(function)
}

impl Routed<'_, '_> {
    /// What invokes the route's function: `…:{api}/{stage}/{METHOD}/{path template}`, or `…:{api}/{stage}/$default`.
    fn invocation_arn(&self) -> String {
        let template = self.matched.route.key.split_once(' ').map(|(_, path)| path);
        self.arn(template.unwrap_or_default())
    }

    /// The ARN of this stage's route with a path in place of its own.
    pub(super) fn arn(&self, path: &str) -> String {
        let (stage, route) = (self.stage, self.matched.route);
        let name = stage.record.name.as_str();
        if route.key == "$default" {
            let (region, account) = (stage.scope.region.as_str(), stage.scope.account.as_str());
            return format!("arn:aws:execute-api:{region}:{account}:{}/{name}/$default", stage.api_id);
        }
        pitbird_names::arn::execute_api(&stage.scope, &stage.api_id, name, self.seen.method, path)
    }

    /// The path that policies are asked about: the route's own with what its variables captured, decoded. However a client writes
    /// a path, the route that takes it is judged by one name.
    pub(super) fn judged_path(&self) -> String {
        let Some((_, template)) = self.matched.route.key.split_once(' ') else {
            let path = pitbird_paths::decode(self.path_below_stage());
            return format!("/{}", path.trim_start_matches('/'));
        };
        let mut captured = self.matched.captures.iter().map(|(_, text)| pitbird_paths::decode(text));
        let segments: Vec<Cow<'_, str>> = template
            .split('/')
            .map(|segment| match segment.starts_with('{') {
                true => captured.next().unwrap_or_default(),
                false => Cow::Borrowed(segment),
            })
            .collect();
        segments.join("/")
    }

    /// The request's path below its stage; under a custom domain, below the mapping that led here.
    pub(super) fn path_below_stage(&self) -> &str {
        if self.arrival.target.mapped.is_some() {
            return self.arrival.target.path;
        }
        let name = self.stage.record.name.as_str();
        if name == "$default" {
            return self.seen.path;
        }
        self.seen.path.strip_prefix('/').and_then(|path| path.strip_prefix(name)).unwrap_or(self.seen.path)
    }
}
