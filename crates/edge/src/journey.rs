use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use pitbird_invoke::Invoker;
use pitbird_names::limits;
use pitbird_snapshot::{Resource, Snapshot, Stage, Track};
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::metrics::Probe;

use crate::arrival::{Arrival, Peer};
use crate::backend::Backend;
use crate::compression::{pack, unpacked};
use crate::integrate::{Means, Outcome, Routed, integrate};
use crate::measure::{Counts, Measured, StageRecorder};
use crate::story::Story;
use crate::{GatewayError, Target};

/// Serves invoke URLs.
pub struct Edge {
    pub(crate) snapshots: Arc<ArcSwap<Snapshot>>,
    pub(crate) invoker: Invoker,
    pub(crate) telemetry: Arc<Telemetry>,
    backend: Backend,
    log_stream: Arc<str>,
    /// The counting probes of each stage: they must outlive the stage's changes.
    counters: Mutex<HashMap<StageName, [Arc<Probe>; 2]>>,
}

/// An API's id and a stage's name.
type StageName = (String, String);

impl Edge {
    pub fn new(snapshots: Arc<ArcSwap<Snapshot>>, invoker: Invoker, telemetry: Arc<Telemetry>) -> Edge {
        let log_stream = format!("{:032x}", fastrand::u128(..)).into();
        let backend = Backend::new();
        Edge { snapshots, invoker, telemetry, backend, log_stream, counters: Mutex::default() }
    }

    /// A request's whole way, from its head to its record.
    pub async fn serve<B>(
        &self,
        target: Target<'_>,
        head: &Parts,
        body: B,
        peer: Peer<'_>,
    ) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let arrival = Arrival::new(target, head, peer);
        let snapshot = self.snapshots.load_full();
        let Some(stage) = admit(&snapshot, target) else {
            return Outcome::error(GatewayError::Forbidden).into_response(arrival);
        };
        let track = stage.choose(fastrand::f64());
        let routed = route(stage, track, &arrival);
        let compression = track.deployment.compression_minimum;
        let body = match read_body(arrival.headers(), body).await {
            Ok(body) if compression.is_some() => unpacked(arrival.headers(), body).await,
            read => read,
        };
        let mut outcome = match (&routed, body) {
            (Err(error), _) => Outcome::error(*error),
            (_, Err(error)) => Outcome::error(error),
            (Ok(routed), Ok(body)) => {
                let means = Means { snapshot: &snapshot, invoker: &self.invoker, backend: &self.backend };
                integrate(routed, &arrival, body, &means).await
            }
        };
        if let Some(minimum) = compression {
            pack(&mut outcome.answer, arrival.headers(), minimum).await;
        }
        let resource = routed.ok().map(|routed| routed.matched.value);
        self.record(stage, track, resource, &arrival, &outcome);
        outcome.into_response(arrival)
    }

    /// What the base and the canary of a stage have counted so far, by this server; `None` when there is no such stage.
    pub fn counts(&self, api: &str, stage: &str) -> Option<(Counts, Counts)> {
        let snapshot = self.snapshots.load();
        Some(self.recorder(snapshot.stage(api, stage)?).counts())
    }

    /// The last step, whatever happened before.
    fn record(
        &self,
        stage: &Stage,
        track: &Track,
        resource: Option<&Resource>,
        arrival: &Arrival<'_>,
        outcome: &Outcome,
    ) {
        let measured = Measured {
            at_ms: arrival.at_ms,
            method: arrival.method(),
            resource_path: resource.map(|resource| resource.path.as_str()),
            status: outcome.answer.status,
            latency_us: arrival.elapsed_us(),
            integration_latency_us: outcome.integration.as_ref().map(|integration| integration.latency_us),
        };
        let story = || tell(stage, track, resource, arrival, outcome, measured.latency_us);
        self.recorder(stage).record(stage, track.is_canary, &measured, story, &self.telemetry);
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
}

/// The stage that may be reached under this URL.
fn admit<'s>(snapshot: &'s Snapshot, target: Target<'_>) -> Option<&'s Arc<Stage>> {
    let api = snapshot.api(target.api)?;
    if api.disable_execute_api_endpoint { None } else { api.stages.get(target.stage) }
}

fn route<'r, 'a>(
    stage: &'r Stage,
    track: &'r Track,
    arrival: &Arrival<'a>,
) -> Result<Routed<'r, 'a>, GatewayError> {
    let header_bytes: usize =
        arrival.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if header_bytes > limits::GATEWAY_HEADER_BYTES {
        return Err(GatewayError::HeadersTooLarge);
    }
    let verb = arrival.method();
    let serves = |resource: &Resource| resource.method(verb).is_some();
    let matched = track.deployment.router.find_where(arrival.target.path, serves);
    let matched = matched.ok_or(GatewayError::MissingAuthenticationToken)?;
    let method = matched.value.method(verb).ok_or(GatewayError::MissingAuthenticationToken)?;
    Ok(Routed { stage, track, matched, method })
}

pub(crate) async fn read_body<B>(headers: &HeaderMap, body: B) -> Result<Bytes, GatewayError>
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

fn tell<'a>(
    stage: &'a Stage,
    track: &'a Track,
    resource: Option<&'a Resource>,
    arrival: &'a Arrival<'_>,
    outcome: &'a Outcome,
    latency_us: u64,
) -> Story<'a> {
    Story {
        method: arrival.method(),
        path: arrival.path(),
        protocol: arrival.protocol(),
        domain_name: arrival.domain(),
        domain_prefix: &stage.api_id,
        request_id: &arrival.request_id,
        extended_request_id: &arrival.extended_request_id,
        trace_id: outcome.trace_id.as_deref(),
        source_ip: arrival.peer.source,
        user_agent: arrival.header(header::USER_AGENT),
        at_ms: arrival.at_ms,
        resource: resource.map(|resource| (resource.id.as_str(), resource.path.as_str())),
        deployment_id: &track.deployment.id,
        is_canary: stage.canary.as_ref().map(|_| track.is_canary),
        status: outcome.answer.status,
        response_bytes: outcome.answer.body.len(),
        latency_us,
        integration: outcome.integration.as_ref(),
        error: outcome.error,
    }
}

impl Outcome {
    fn into_response(self, arrival: Arrival<'_>) -> Response<Full<Bytes>> {
        let Outcome { answer, trace_id, .. } = self;
        answer.into_response(arrival.request_id, arrival.extended_request_id, trace_id)
    }
}
