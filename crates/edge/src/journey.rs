use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

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
use crate::cache::{self, Lookup, StageCache};
use crate::choose::{Chosen, choose};
use crate::compression::{pack, unpacked};
use crate::integrate::{Means, Outcome, Routed, integrate};
use crate::measure::{Counts, Kind, Measured, StageRecorder};
use crate::mirror::Mirrors;
use crate::services::Services;
use crate::story::Story;
use crate::{GatewayError, Target, http_api};

/// Serves invoke URLs.
pub struct Edge {
    pub(crate) snapshots: Arc<ArcSwap<Snapshot>>,
    pub(crate) invoker: Invoker,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) backend: Backend,
    services: OnceLock<Arc<dyn Services>>,
    pub(crate) mirrors: Mirrors,
    pub(crate) log_stream: Arc<str>,
    pub(crate) http: http_api::Kept,
    /// The counting probes of each stage: they must outlive the stage's changes.
    counters: Mutex<HashMap<StageName, [Arc<Probe>; 2]>>,
    caches: Mutex<HashMap<StageName, Arc<StageCache>>>,
}

/// An API's id and a stage's name.
type StageName = (String, String);

impl Edge {
    pub fn new(snapshots: Arc<ArcSwap<Snapshot>>, invoker: Invoker, telemetry: Arc<Telemetry>) -> Edge {
        let log_stream = format!("{:032x}", fastrand::u128(..)).into();
        let backend = Backend::new();
        let (services, mirrors, http, counters, caches) = Default::default();
        Edge { snapshots, invoker, telemetry, backend, services, mirrors, log_stream, http, counters, caches }
    }

    /// From now on integrations may call AWS services.
    pub fn connect(&self, services: Arc<dyn Services>) {
        let _only_once = self.services.set(services);
    }

    /// A request's whole way, from its head to its record.
    pub async fn serve<B>(
        self: &Arc<Self>,
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
        let chosen = choose(stage, &arrival, fastrand::f64());
        let track = chosen.track;
        let compression = track.deployment.compression_minimum;
        let body = match read_body(arrival.headers(), body).await {
            Ok(body) if compression.is_some() => unpacked(arrival.headers(), body).await,
            read => read,
        };
        if let (true, Ok(body)) = (chosen.is_mirrored, &body) {
            self.mirror(&arrival, body, &snapshot);
        }
        let (resource, mut outcome) = self.pass(stage, track, &arrival, body, &snapshot).await;
        if let Some(minimum) = compression {
            pack(&mut outcome.answer, arrival.headers(), minimum).await;
        }
        self.record(stage, chosen, resource, &arrival, &outcome);
        outcome.into_response(arrival)
    }

    /// From a track to its integration's answer, or to the gateway's own; and the resource that was found.
    pub(crate) async fn pass<'s>(
        &self,
        stage: &'s Stage,
        track: &'s Track,
        arrival: &Arrival<'_>,
        body: Result<Bytes, GatewayError>,
        snapshot: &Snapshot,
    ) -> (Option<&'s Resource>, Outcome) {
        let routed = match route(stage, track, arrival) {
            Ok(routed) => routed,
            Err(error) => return (None, Outcome::error(error)),
        };
        let outcome = match body {
            Ok(body) => {
                let services = self.services.get().map(|services| &**services);
                let means = Means { snapshot, invoker: &self.invoker, backend: &self.backend, services };
                self.integrate_or_recall(&routed, arrival, body, &means).await
            }
            Err(error) => Outcome::error(error),
        };
        (Some(routed.matched.value), outcome)
    }

    /// Asks the integration, unless the stage's cache knows what it would say.
    async fn integrate_or_recall(
        &self,
        routed: &Routed<'_, '_>,
        arrival: &Arrival<'_>,
        body: Bytes,
        means: &Means<'_>,
    ) -> Outcome {
        let cache = self.recorder(routed.stage).cache();
        match cache::look_up(cache, routed.stage, routed, arrival, Instant::now()) {
            Lookup::None => integrate(routed, arrival, body, means).await,
            Lookup::Forbidden => Outcome::error(GatewayError::Forbidden),
            Lookup::Hit(answer) => Outcome { is_cache_hit: Some(true), ..Outcome::answer(answer) },
            Lookup::Miss(place) => {
                let mut outcome = integrate(routed, arrival, body, means).await;
                outcome.is_cache_hit = Some(false);
                if outcome.error.is_none() {
                    place.keep(&mut outcome.answer, Instant::now());
                }
                outcome
            }
        }
    }

    /// The cache that a stage asks for: kept through changes of the stage, as long as it has one.
    fn cache(&self, stage: &Stage) -> Option<Arc<StageCache>> {
        let snapshot = self.snapshots.load();
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.retain(|(api, name), _| {
            snapshot.stage(api, name).is_some_and(|stage| stage.record.cache_cluster_enabled)
        });
        let key = (stage.api_id.clone(), stage.record.name.clone());
        if let Some(known) = caches.get(&key) {
            return Some(known.clone());
        }
        let made = Arc::new(StageCache::of(&stage.record)?);
        caches.insert(key, made.clone());
        Some(made)
    }

    /// What the base and the canary of a stage have counted so far, by this server; `None` when there is no such stage.
    pub fn counts(&self, api: &str, stage: &str) -> Option<(Counts, Counts)> {
        let snapshot = self.snapshots.load();
        Some(self.recorder(snapshot.stage(api, stage)?).counts())
    }

    /// The last step, whatever happened before.
    pub(crate) fn record(
        &self,
        stage: &Stage,
        chosen: Chosen<'_>,
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
            is_cache_hit: outcome.is_cache_hit,
            integration_latency_us: outcome.integration.as_ref().map(|integration| integration.latency_us),
        };
        let story = || tell(stage, chosen.track, resource, arrival, outcome, measured.latency_us);
        let kind = Kind { is_canary: chosen.track.is_canary, is_evidence: chosen.is_evidence };
        self.recorder(stage).record(stage, kind, &measured, story, &self.telemetry);
    }

    fn recorder<'s>(&self, stage: &'s Stage) -> &'s StageRecorder {
        stage.slot.get_or_init(|| {
            let recorder = StageRecorder::new(stage, &self.telemetry, &self.log_stream, self.cache(stage));
            let key = (stage.api_id.clone(), stage.record.name.clone());
            let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            counters.insert(key, recorder.counters());
            Arc::new(recorder)
        })
    }
}

/// The stage that may be reached under this URL.
pub(crate) fn admit<'s>(snapshot: &'s Snapshot, target: Target<'_>) -> Option<&'s Arc<Stage>> {
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
    Ok(Routed { stage, track, matched, method, verb })
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
