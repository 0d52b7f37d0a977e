use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderMap, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use pitbird_event::MediaTypes;
use pitbird_invoke::{Invocation, Invoker};
use pitbird_names::{Scope, arn, limits};
use pitbird_paths::Match;
use pitbird_snapshot::{
    Integration, InvocationSource, LambdaTarget, Method, MockFault, Resource, Snapshot, Stage, Track,
};
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::metrics::Probe;
use smallvec::SmallVec;

use crate::answer::Answer;
use crate::measure::{Counts, StageRecorder};
use crate::names_shown::NamesShown;
use crate::story::{IntegrationStory, Story};
use crate::{GatewayError, Target};

/// Serves invoke URLs. Cheap to share.
pub struct Edge {
    snapshots: Arc<ArcSwap<Snapshot>>,
    invoker: Invoker,
    telemetry: Arc<Telemetry>,
    log_stream: Arc<str>,
    /// The counting probes of each stage, by API and stage: they must outlive the stage's changes.
    counters: Mutex<HashMap<StageName, [Arc<Probe>; 2]>>,
}

/// An API's id and a stage's name.
type StageName = (String, String);

/// How a request reached us.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    pub source: IpAddr,
    /// Port and scheme that the client connected to.
    pub port: u16,
    pub scheme: &'a str,
    /// The bytes of the request's head as they came, to show header names in the caller's spelling; may be empty.
    pub raw_head: &'a [u8],
}

/// One request once it has come in: who it is, when it came and all that it brought.
struct Arrival<'a> {
    target: Target<'a>,
    peer: Peer<'a>,
    method: &'a str,
    /// With the stage, as it came.
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    host: &'a str,
    domain: &'a str,
    protocol: &'static str,
    request_id: &'a str,
    extended_request_id: &'a str,
    trace_id: &'a str,
    at_ms: u64,
}

/// The integration's answer or the gateway's own, and what there is to tell about the integration.
struct Outcome {
    answer: Answer,
    integration: Option<IntegrationStory>,
    error: Option<GatewayError>,
}

impl Edge {
    pub fn new(snapshots: Arc<ArcSwap<Snapshot>>, invoker: Invoker, telemetry: Arc<Telemetry>) -> Edge {
        let log_stream = format!("{:032x}", fastrand::u128(..)).into();
        Edge { snapshots, invoker, telemetry, log_stream, counters: Mutex::default() }
    }

    /// A request's whole way, from its head to its record.
    pub async fn serve<B>(
        &self,
        target: Target<'_>,
        request: &http::request::Parts,
        body: B,
        peer: Peer<'_>,
    ) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let began = Instant::now();
        let at_ms = epoch_ms();
        let request_id = pitbird_names::uuid(fastrand::u128(..));
        let extended_request_id =
            pitbird_event::extended_request_id(std::array::from_fn(|_| fastrand::u8(..)));
        let client_trace = request.headers.get("x-amzn-trace-id").map(|value| value.as_bytes());
        let trace_id = pitbird_event::trace_id(
            client_trace,
            (at_ms / 1000) as u32,
            std::array::from_fn(|_| fastrand::u8(..)),
        );
        let path = format!("/{}{}", target.stage, target.raw_path);
        let host = host(request);
        let own_domain = format!("{}.execute-api.localhost", target.api);
        let arrival = Arrival {
            target,
            peer,
            method: request.method.as_str(),
            path: &path,
            query: request.uri.query().unwrap_or_default(),
            headers: &request.headers,
            host,
            domain: target.domain.unwrap_or(&own_domain),
            protocol: if request.version == http::Version::HTTP_2 { "HTTP/2.0" } else { "HTTP/1.1" },
            request_id: &request_id,
            extended_request_id: &extended_request_id,
            trace_id: &trace_id,
            at_ms,
        };

        let snapshot = self.snapshots.load_full();
        let Some(stage) = admit(&snapshot, target) else {
            return Answer::of_error(GatewayError::Forbidden).into_response(
                &request_id,
                &extended_request_id,
                &trace_id,
            );
        };
        let track = stage.choose(fastrand::f64());
        let routed = route(track, &arrival);
        let outcome = match (&routed, read_body(arrival.headers, body).await) {
            (Err(error), _) => Outcome::error(*error),
            (_, Err(error)) => Outcome::error(error),
            (Ok((matched, method)), Ok(body)) => {
                self.integrate(&snapshot, stage, track, matched, method, &arrival, body).await
            }
        };
        let story = tell(&arrival, stage, track, routed.ok().map(|(matched, _)| matched), &outcome, began);
        self.recorder(stage).record(stage, track.is_canary, &story, &self.telemetry);
        outcome.answer.into_response(&request_id, &extended_request_id, &trace_id)
    }

    /// What the base and the canary of a stage have counted so far, by this server; `None` when there is no such stage.
    pub fn counts(&self, api: &str, stage: &str) -> Option<(Counts, Counts)> {
        let snapshot = self.snapshots.load();
        Some(self.recorder(snapshot.stage(api, stage)?).counts())
    }

    fn recorder<'s>(&self, stage: &'s Stage) -> &'s StageRecorder {
        stage.slot.get_or_init(|| {
            let recorder = StageRecorder::new(stage, &self.telemetry, &self.log_stream);
            let key = (stage.api_id.clone(), stage.record.name.clone());
            let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            counters.insert(key, recorder.counters());
            Arc::new(recorder)
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the values that the steps before made, one each")]
    async fn integrate(
        &self,
        snapshot: &Snapshot,
        stage: &Stage,
        track: &Track,
        matched: &Match<'_, '_, Resource>,
        method: &Method,
        arrival: &Arrival<'_>,
        body: Bytes,
    ) -> Outcome {
        match &method.integration {
            Integration::Mock(mock) => {
                let content_type =
                    arrival.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
                match mock.answer(content_type) {
                    Ok(answer) => Outcome::answer(Answer::of_mock(answer)),
                    Err(MockFault::UnsupportedMediaType) => {
                        Outcome::error(GatewayError::UnsupportedMediaType)
                    }
                    Err(MockFault::Configuration) => Outcome::error(GatewayError::ApiConfiguration),
                }
            }
            Integration::LambdaProxy { target, timeout_ms } => {
                let event = write_event(stage, track, matched, method, arrival, &body);
                match &track.targets[*target] {
                    Ok(target) => {
                        self.invoke(
                            snapshot,
                            stage,
                            track,
                            matched.value,
                            target,
                            *timeout_ms,
                            arrival,
                            event,
                        )
                        .await
                    }
                    Err(unrenderable) => {
                        Outcome::failed(GatewayError::ApiConfiguration, 0, None, unrenderable.to_string())
                    }
                }
            }
            Integration::Unconfigured => Outcome::error(GatewayError::ApiConfiguration),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the values that the steps before made, one each")]
    async fn invoke(
        &self,
        snapshot: &Snapshot,
        stage: &Stage,
        track: &Track,
        resource: &Resource,
        target: &LambdaTarget,
        timeout_ms: u32,
        arrival: &Arrival<'_>,
        event: Bytes,
    ) -> Outcome {
        let Some(function) = snapshot.function(&target.function).filter(|function| {
            let source = invocation_source(&stage.scope, stage, arrival.method, resource);
            let source = InvocationSource {
                service: "apigateway.amazonaws.com",
                arn: &source,
                account: stage.scope.account.as_str(),
            };
            function.policy(target.qualifier.as_ref()).is_some_and(|policy| policy.allows(&source))
        }) else {
            let why = "Execution failed due to configuration error: Invalid permissions on Lambda function";
            return Outcome::failed(GatewayError::ApiConfiguration, 0, None, why.to_owned());
        };
        let began = Instant::now();
        let invocation = Invocation {
            request_id: arrival.request_id.to_owned(),
            payload: event,
            at_ms: arrival.at_ms as i64,
            trace_id: Some(arrival.trace_id.to_owned()),
            ..Invocation::default()
        };
        let invoked = self.invoker.invoke(function, target.qualifier.as_ref(), fastrand::f64(), invocation);
        let invoked = tokio::time::timeout(Duration::from_millis(timeout_ms.into()), invoked).await;
        let latency_us = began.elapsed().as_micros() as u64;
        match invoked {
            Err(_) => {
                let why = "Execution failed due to a timeout error".to_owned();
                Outcome::failed(GatewayError::IntegrationTimeout, latency_us, None, why)
            }
            Ok(Err(refused)) => {
                let why = format!("Execution failed due to configuration error: {refused}");
                Outcome::failed(refusal(&refused), latency_us, None, why)
            }
            Ok(Ok(outcome)) if outcome.function_error.is_some() => {
                let error = String::from_utf8_lossy(&outcome.payload);
                let why = format!(
                    "Lambda execution failed with status 200 due to customer function error: {error}"
                );
                Outcome::failed(GatewayError::BadIntegrationAnswer, latency_us, Some(200), why)
            }
            Ok(Ok(outcome)) => {
                let accept = arrival.headers.get(header::ACCEPT).map(|value| value.as_bytes());
                let binary = MediaTypes(&track.deployment.binary_media_types);
                match pitbird_event::reply(&outcome.payload, accept, binary) {
                    Ok(answer) => Outcome::of_function(Answer::of_function(answer), latency_us),
                    Err(_) => {
                        let why =
                            "Execution failed due to configuration error: Malformed Lambda proxy response";
                        Outcome::failed(
                            GatewayError::BadIntegrationAnswer,
                            latency_us,
                            Some(200),
                            why.to_owned(),
                        )
                    }
                }
            }
        }
    }
}

/// The stage that may be reached under this URL.
fn admit<'s>(snapshot: &'s Snapshot, target: Target<'_>) -> Option<&'s Arc<Stage>> {
    let api = snapshot.api(target.api)?;
    if api.disable_execute_api_endpoint { None } else { api.stages.get(target.stage) }
}

type Routed<'t, 'a> = (Match<'t, 'a, Resource>, &'t Method);

fn route<'t, 'a>(track: &'t Track, arrival: &Arrival<'a>) -> Result<Routed<'t, 'a>, GatewayError> {
    let header_bytes: usize =
        arrival.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if header_bytes > limits::GATEWAY_HEADER_BYTES {
        return Err(GatewayError::HeadersTooLarge);
    }
    let serves = |resource: &Resource| resource.method(arrival.method).is_some();
    let router = &track.deployment.router;
    let matched =
        router.find_where(arrival.target.path, serves).ok_or(GatewayError::MissingAuthenticationToken)?;
    let resource: &'t Resource = matched.value;
    let method = resource.method(arrival.method).ok_or(GatewayError::MissingAuthenticationToken)?;
    Ok((matched, method))
}

async fn read_body<B>(headers: &HeaderMap, body: B) -> Result<Bytes, GatewayError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits::GATEWAY_BODY_BYTES) {
        return Err(GatewayError::RequestTooLarge);
    }
    match Limited::new(body, limits::GATEWAY_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(GatewayError::RequestTooLarge),
        Err(_) => Err(GatewayError::BadRequest),
    }
}

fn write_event(
    stage: &Stage,
    track: &Track,
    matched: &Match<'_, '_, Resource>,
    method: &Method,
    arrival: &Arrival<'_>,
    body: &[u8],
) -> Bytes {
    let names = NamesShown::read(arrival.peer.raw_head);
    let headers: SmallVec<[(&str, &[u8]); 24]> =
        arrival.headers.iter().map(|(name, value)| (names.shown(name.as_str()), value.as_bytes())).collect();
    let captures: SmallVec<[(&str, &str); 4]> = matched.captures().collect();
    let source_ip = arrival.peer.source.to_string();
    let exchange = pitbird_event::Exchange {
        resource: &matched.value.path,
        method: arrival.method,
        path: arrival.target.path,
        query: arrival.query,
        headers: &headers,
        body,
        path_parameters: &captures,
        stage_variables: &track.variables,
        binary: MediaTypes(&track.deployment.binary_media_types),
        host: arrival.host,
        port: arrival.peer.port,
        scheme: arrival.peer.scheme,
        trace_id: arrival.trace_id,
        context: pitbird_event::Context {
            account_id: stage.scope.account.as_str(),
            api_id: &stage.api_id,
            deployment_id: &track.deployment.id,
            stage: &stage.record.name,
            resource_id: &matched.value.id,
            operation_name: method.operation_name.as_deref(),
            path: arrival.path,
            protocol: arrival.protocol,
            domain_name: arrival.domain,
            domain_prefix: &stage.api_id,
            request_id: arrival.request_id,
            extended_request_id: arrival.extended_request_id,
            request_time_epoch_ms: arrival.at_ms,
            source_ip: &source_ip,
        },
    };
    let mut event = Vec::new();
    exchange.write_event(&mut event);
    Bytes::from(event)
}

fn invocation_source(scope: &Scope, stage: &Stage, method: &str, resource: &Resource) -> String {
    arn::execute_api(scope, &stage.api_id, &stage.record.name, method, &resource.path)
}

/// What the gateway says when Lambda won't run the function: a throttle or a body too large is the caller's to know,
/// anything else is a bad gateway.
fn refusal(refused: &pitbird_invoke::Refused) -> GatewayError {
    use pitbird_invoke::Refused;
    match refused {
        Refused::PayloadTooLarge => GatewayError::RequestTooLarge,
        Refused::Throttled(_) | Refused::Unknown(_) => GatewayError::ApiConfiguration,
        _ => GatewayError::BadIntegrationAnswer,
    }
}

fn tell<'a>(
    arrival: &Arrival<'a>,
    stage: &'a Stage,
    track: &'a Track,
    matched: Option<Match<'a, '_, Resource>>,
    outcome: &Outcome,
    began: Instant,
) -> Story<'a> {
    Story {
        method: arrival.method,
        path: arrival.path,
        protocol: arrival.protocol,
        domain_name: arrival.domain,
        domain_prefix: &stage.api_id,
        request_id: arrival.request_id,
        extended_request_id: arrival.extended_request_id,
        trace_id: outcome.answer.is_traced.then_some(arrival.trace_id),
        source_ip: "",
        user_agent: arrival.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()),
        at_ms: arrival.at_ms,
        resource: matched.map(|matched| (matched.value.id.as_str(), matched.value.path.as_str())),
        deployment_id: &track.deployment.id,
        is_canary: stage.canary.as_ref().map(|_| track.is_canary),
        status: outcome.answer.status,
        response_bytes: outcome.answer.body.len(),
        latency_us: began.elapsed().as_micros() as u64,
        integration: outcome.integration.clone(),
        error: outcome.error,
    }
}

impl Outcome {
    fn answer(answer: Answer) -> Outcome {
        Outcome { answer, integration: None, error: None }
    }

    fn error(error: GatewayError) -> Outcome {
        Outcome { answer: Answer::of_error(error), integration: None, error: Some(error) }
    }

    fn of_function(answer: Answer, latency_us: u64) -> Outcome {
        let status = Some(answer.status);
        let integration = IntegrationStory { latency_us, status, service_status: Some(200), error: None };
        Outcome { answer, integration: Some(integration), error: None }
    }

    fn failed(error: GatewayError, latency_us: u64, service_status: Option<u16>, why: String) -> Outcome {
        let integration = IntegrationStory { latency_us, status: None, service_status, error: Some(why) };
        Outcome { answer: Answer::of_error(error), integration: Some(integration), error: Some(error) }
    }
}

fn host(request: &http::request::Parts) -> &str {
    let header = request.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    header.or_else(|| request.uri.authority().map(|authority| authority.as_str())).unwrap_or("localhost")
}

fn epoch_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
