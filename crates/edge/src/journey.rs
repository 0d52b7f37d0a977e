use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Response, header};
use http_body_util::{BodyExt, Either, Full, Limited};
use pitbird_invoke::Invoker;
use pitbird_jwt::KeySet;
use pitbird_names::{Scope, limits};
use pitbird_records::usage_plan::Throttle;
use pitbird_snapshot::{Resource, Snapshot, Stage, Track};
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::metrics::Probe;
use pitbird_telemetry::tally::Drawn;
use pitbird_trace::Tracer;

use crate::admit::{SignatureOf, admit, is_open, validate};
use crate::admitted::{Admitted, AuthorizerResult};
use crate::arrival::{Arrival, Peer};
use crate::authorizer_cache::AuthorizerCache;
use crate::backend::Backend;
use crate::cache::{self, Lookup, StageCache};
use crate::choose::{By, Chosen, choose};
use crate::compression::{pack, unpacked};
use crate::execution_log::{self, ExecutionLog, Log};
use crate::gateway_answer::Told;
use crate::integrate::{Means, Outcome, integrate};
use crate::issuers::Issuers;
use crate::large::LargeBodies;
use crate::measure::{Counts, Kind, Measured, StageRecorder, is_failure};
use crate::mirror::Mirrors;
use crate::routed::Routed;
use crate::services::Services;
use crate::story::Story;
use crate::streamed::Begun;
use crate::throttle::Buckets;
use crate::trace::{Exchange, Traced};
use crate::usage_book::UsageBook;
use crate::used::{FunctionTally, TrackUse};
use crate::{ApiBody, GatewayError, Signature, SignatureFault, Target, http_api};

/// Serves invoke URLs.
pub struct Edge {
    pub(crate) snapshots: Arc<ArcSwap<Snapshot>>,
    pub(crate) invoker: Invoker,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) tracer: Tracer,
    pub(crate) backend: Backend,
    pub(crate) large: LargeBodies,
    pub(crate) services: OnceLock<Arc<dyn Services>>,
    pub(crate) mirrors: Mirrors,
    pub(crate) log_stream: Arc<str>,
    pub(crate) http: http_api::Kept,
    /// Whose tokens are taken, for APIs of both kinds.
    pub(crate) issuers: Issuers,
    /// The counting probes of each stage: they must outlive the stage's changes.
    counters: Mutex<HashMap<StageName, [Arc<Probe>; 4]>>,
    caches: Mutex<HashMap<StageName, Arc<StageCache>>>,
    /// How fast keys and methods are called.
    pub(crate) buckets: Buckets,
    pub(crate) authorizers: AuthorizerCache<AuthorizerResult>,
    pub(crate) usage: UsageBook,
    account_throttle: Option<Throttle>,
}

/// An API's id and a stage's name.
type StageName = (String, String);

impl Edge {
    pub fn new(snapshots: Arc<ArcSwap<Snapshot>>, invoker: Invoker, telemetry: Arc<Telemetry>) -> Edge {
        let log_stream = format!("{:032x}", fastrand::u128(..)).into();
        let backend = Backend::new();
        Edge {
            snapshots,
            invoker,
            telemetry,
            tracer: Tracer::off(),
            backend,
            large: LargeBodies::new(),
            services: Default::default(),
            mirrors: Mirrors::default(),
            log_stream,
            http: Default::default(),
            issuers: Issuers::default(),
            counters: Mutex::default(),
            caches: Mutex::default(),
            buckets: Buckets::default(),
            authorizers: AuthorizerCache::default(),
            usage: UsageBook::default(),
            account_throttle: None,
        }
    }

    /// With the keys of these user pools, by their ids, instead of those that the pools would tell.
    pub fn with_user_pool_keys(mut self, given: HashMap<String, KeySet>) -> Edge {
        self.issuers.given = given.into_iter().map(|(pool, keys)| (pool, Arc::new(keys))).collect();
        self
    }

    /// With a bound on how fast all REST and HTTP APIs of an account may be called in a region.
    pub fn with_account_throttle(self, account_throttle: Option<Throttle>) -> Edge {
        Edge { account_throttle, ..self }
    }

    pub fn account_throttle(&self) -> Option<Throttle> {
        self.account_throttle
    }

    /// Does the account's own throttle, if it has one, let one more request pass?
    ///
    /// # Errors
    /// The limit, where it doesn't.
    pub(crate) fn take_of_account(&self, scope: &Scope) -> Result<(), Throttle> {
        match self.account_throttle {
            Some(limit) if !self.buckets.take(("account", scope), limit) => Err(limit),
            _ => Ok(()),
        }
    }

    /// With requests recorded whose trace is.
    pub fn with_tracer(self, tracer: Tracer) -> Edge {
        Edge { tracer, ..self }
    }

    /// From now on integrations may call AWS services.
    pub fn connect(&self, services: Arc<dyn Services>) {
        let _only_once = self.services.set(services);
    }

    /// What API keys have used: whoever has the store restores it before the first request, and writes down what changes.
    pub fn usage(&self) -> &UsageBook {
        &self.usage
    }

    /// What is served now. A request takes one for its whole way, in which an API of either kind is found.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.load_full()
    }

    /// A request's whole way through a REST API, from its head to its record. `signature_of` reads a signature over the head and a body, where a method
    /// asks for one; the method's ARN is what is asked for.
    pub async fn serve<B>(
        self: &Arc<Self>,
        snapshot: Arc<Snapshot>,
        target: Target<'_>,
        head: &Parts,
        body: B,
        peer: Peer<'_>,
        signature_of: impl Fn(&[u8], &str) -> Result<Signature, SignatureFault> + Sync,
    ) -> Response<ApiBody>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Some(stage) = find(&snapshot, target) else {
            let arrival = Arrival::new(target, head, peer, None);
            return Outcome::error(GatewayError::Forbidden).into_response(arrival).map(Either::Left);
        };
        let active = stage.record.tracing_enabled.then(|| &self.recorder(stage).reservoir);
        let trace = Traced::join(&self.tracer, active, head);
        let told = trace.as_ref().and_then(|traced| traced.told(head));
        let arrival = Arrival::new(target, told.as_ref().unwrap_or(head), peer, trace);
        let chosen = choose(stage, &arrival, fastrand::f64());
        let track = chosen.track;
        let mut routed = route(stage, track, &arrival);
        let log = routed.as_ref().ok().and_then(|routed| ExecutionLog::wanted(routed.setting));
        if let Ok(routed) = &mut routed {
            routed.log = Log(log.as_deref());
        }
        let compression = track.deployment.compression_minimum;
        let body = match read_body(arrival.headers(), body).await {
            Ok(body) if compression.is_some() => unpacked(arrival.headers(), body).await,
            read => read,
        };
        // Only an answer of the API's own form may quote the body.
        let quoted = track.deployment.gateway_responses.as_ref().and(body.as_ref().ok()).cloned();
        let (admitted, mut outcome) = match (&routed, body) {
            (Err(error), _) => (Admitted::default(), Outcome::error(error.clone())),
            (_, Err(error)) => (Admitted::default(), Outcome::error(error)),
            (Ok(routed), Ok(body)) => {
                self.pass(routed, &arrival, body, &snapshot, &signature_of, chosen.is_mirrored).await
            }
        };
        let routed = routed.ok();
        dress(&mut outcome, &arrival, (stage, track, routed.as_ref()), &admitted, quoted.as_deref());
        if let Some(stream) = outcome.stream.take() {
            let begun = Begun { edge: self, stage, chosen, arrival, admitted, outcome, log };
            return begun.into_response(stream);
        }
        execution_log::finish(Log(log.as_deref()), &arrival, &outcome);
        if let Some(minimum) = compression {
            pack(&mut outcome.answer, arrival.headers(), minimum).await;
        }
        self.record(stage, chosen, routed.as_ref(), &arrival, &admitted, &outcome);
        outcome.into_response(arrival).map(Either::Left)
    }

    /// Admission and integration: the caller as far as he is known, and what came of it. What isn't admitted is mirrored nowhere.
    pub(crate) async fn pass<'a>(
        self: &Arc<Self>,
        routed: &Routed<'_, 'a>,
        arrival: &Arrival<'a>,
        body: Bytes,
        snapshot: &Arc<Snapshot>,
        signature_of: SignatureOf<'_>,
        is_mirrored: bool,
    ) -> (Admitted, Outcome) {
        let mut admitted = Admitted::default();
        execution_log::arrived(routed.log, arrival);
        if is_open(routed) {
            execution_log::verify_plan(routed, arrival, None);
            if let Err(limit) = self.take_of_account(&routed.stage.scope) {
                execution_log::throttled(routed, "Account", limit);
                return (admitted, Outcome::error(GatewayError::Throttled));
            }
            execution_log::plan_verified(routed, None);
        } else {
            // Most methods are open: what the others wait for isn't part of every request's state.
            let asked = Box::pin(admit(self, snapshot, routed, arrival, &body, signature_of));
            let (caller, result) = asked.await;
            if let Err(error) = result {
                return (caller, Outcome::error(error));
            }
            admitted = caller;
        }
        execution_log::begin(routed, arrival, &admitted, &body);
        if routed.method.validation.is_some()
            && let Err(error) = self.large.turn(&body).await.work(|| validate(routed, arrival, &body))
        {
            return (admitted, Outcome::error(error));
        }
        let pair = is_mirrored.then(|| self.mirror(routed, arrival, &admitted, &body, snapshot)).flatten();
        let means = self.means(snapshot, &admitted);
        let mut outcome = self.integrate_or_recall(routed, arrival, body, &means).await;
        outcome.functions = means.functions.read().noted();
        outcome.pair = pair;
        (admitted, outcome)
    }

    pub(crate) fn means<'m>(&'m self, snapshot: &'m Snapshot, admitted: &'m Admitted) -> Means<'m> {
        let services = self.services.get().map(|services| &**services);
        Means {
            snapshot,
            invoker: &self.invoker,
            backend: &self.backend,
            large: &self.large,
            services,
            admitted,
            functions: FunctionTally::default(),
        }
    }

    /// Asks the integration, unless the stage's cache knows what it would say.
    pub(crate) async fn integrate_or_recall(
        &self,
        routed: &Routed<'_, '_>,
        arrival: &Arrival<'_>,
        body: Bytes,
        means: &Means<'_>,
    ) -> Outcome {
        let cache = self.recorder(routed.stage).cache();
        let may_renew = means.admitted.may_renew;
        match cache::look_up(cache, routed.stage, routed, arrival, may_renew) {
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
        routed: Option<&Routed<'_, '_>>,
        arrival: &Arrival<'_>,
        admitted: &Admitted,
        outcome: &Outcome,
    ) {
        let resource = routed.map(|routed| routed.matched.value);
        let setting = routed.and_then(|routed| routed.setting);
        let used = match chosen.by == By::Mirror {
            true => TrackUse { functions: outcome.functions(), ..TrackUse::default() },
            false => TrackUse::new(outcome.error.as_deref(), outcome.bytes_out(), outcome.functions()),
        };
        let latency_us = arrival.elapsed_us();
        // What took minutes is told to alarms that look at the newest one.
        let is_streamed = outcome.stream.is_some();
        let at_ms = if is_streamed { arrival.at_ms + latency_us / 1000 } else { arrival.at_ms };
        let measured = Measured {
            used,
            source_ip: arrival.peer.source,
            at_ms,
            method: arrival.method(),
            resource_path: resource.map(|resource| resource.path.as_str()),
            is_detailed: setting.is_some_and(|setting| setting.values.metrics_enabled),
            status: outcome.counted_status(),
            latency_us,
            is_cache_hit: outcome.is_cache_hit,
            integration_latency_us: outcome.integration.as_ref().map(|integration| integration.latency_us),
        };
        if let Some(pair) = outcome.pair.as_ref().filter(|_| outcome.is_releases_own()) {
            pair.answered(chosen.track.is_canary, is_failure(measured.status));
        }
        let story = || {
            let latency_us = measured.latency_us;
            Story { latency_us, ..story(stage, chosen.track, resource, arrival, admitted).of(outcome) }
        };
        let user = if let By::Client(client) = chosen.by { Some(client) } else { None };
        let drawn = stage.canary.as_ref().map(|(percent, _)| Drawn { percent: *percent, user });
        let kind = Kind { is_canary: chosen.track.is_canary, is_evidence: chosen.is_evidence, drawn };
        let log = routed.map_or_else(Log::default, |routed| routed.log);
        self.recorder(stage).record(stage, kind, &measured, story, log, &self.telemetry);
        if let Some(traced) = arrival.trace.as_ref().filter(|traced| traced.is_recorded()) {
            let exchange = Exchange { stage, chosen, resource, arrival, outcome };
            traced.record(&self.tracer, exchange);
        }
    }

    pub(crate) fn recorder<'s>(&self, stage: &'s Stage) -> &'s StageRecorder {
        stage.slot.get_or_init(|| {
            let recorder = StageRecorder::new(stage, &self.telemetry, &self.log_stream, self.cache(stage));
            let key = (stage.api_id.clone(), stage.record.name.clone());
            let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            // Instead of growing it first lets go of stages that are gone.
            if counters.len() == counters.capacity() && !counters.contains_key(&key) {
                let snapshot = self.snapshots.load();
                counters.retain(|(api, name), _| snapshot.stage(api, name).is_some());
            }
            counters.insert(key, recorder.counters());
            Arc::new(recorder)
        })
    }
}

/// The stage that may be reached under this URL.
pub(crate) fn find<'s>(snapshot: &'s Snapshot, target: Target<'_>) -> Option<&'s Arc<Stage>> {
    let api = snapshot.api(target.api)?;
    let is_refused = api.disable_execute_api_endpoint && target.mapped.is_none();
    if is_refused { None } else { api.stages.get(target.stage) }
}

pub(crate) fn route<'r, 'a>(
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
    let setting = stage.settings.of(&matched.value.path, verb);
    Ok(Routed { stage, track, matched, method, verb, setting, log: Log::default() })
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

/// Gives one of the gateway's own answers the form that the API has for it, if it has one.
pub(crate) fn dress<'a>(
    outcome: &mut Outcome,
    arrival: &Arrival<'a>,
    (stage, track, routed): (&Stage, &Track, Option<&Routed<'_, 'a>>),
    admitted: &Admitted,
    body: Option<&[u8]>,
) {
    let (Some(responses), Some(error)) = (&track.deployment.gateway_responses, &outcome.error) else {
        return;
    };
    let Some(response) = responses.of(error.response_type()) else { return };
    let resource = routed.map(|routed| routed.matched.value);
    let story = story(stage, track, resource, arrival, admitted).of(outcome);
    let told = Told { stage, track, routed, arrival, body: body.unwrap_or_default(), story: &story };
    let answer = told.answer(error, response);
    outcome.answer = answer;
}

/// What there is to tell of an exchange before it has an outcome.
pub(crate) fn story<'a>(
    stage: &'a Stage,
    track: &'a Track,
    resource: Option<&'a Resource>,
    arrival: &'a Arrival<'_>,
    admitted: &'a Admitted,
) -> Story<'a> {
    Story {
        method: arrival.method(),
        path: arrival.path_pieces(),
        protocol: arrival.protocol(),
        domain_name: arrival.domain_pieces(),
        domain_prefix: arrival.domain_prefix(),
        base_path: arrival.base_path(),
        request_id: &arrival.request_id,
        extended_request_id: &arrival.extended_request_id,
        trace_id: None,
        source_ip: arrival.peer.source,
        headers: arrival.headers(),
        at_ms: arrival.at_ms,
        resource: resource.map(|resource| (resource.id.as_str(), resource.path.as_str())),
        deployment_id: &track.deployment.id,
        is_canary: stage.canary.as_ref().map(|_| track.is_canary),
        status: 0,
        response_bytes: 0,
        latency_us: 0,
        integration: None,
        error: None,
        admitted,
    }
}

impl<'a> Story<'a> {
    /// With what came of the exchange.
    fn of(self, outcome: &'a Outcome) -> Story<'a> {
        Story {
            trace_id: outcome.trace_id.as_deref(),
            status: outcome.answer.status,
            response_bytes: outcome.bytes_out() as usize,
            integration: outcome.integration.as_deref(),
            error: outcome.error.as_deref(),
            ..self
        }
    }
}

impl Outcome {
    pub(crate) fn into_response(self, arrival: Arrival<'_>) -> Response<Full<Bytes>> {
        let Outcome { answer, trace_id, .. } = self;
        answer.into_response(arrival.request_id, arrival.extended_request_id, trace_id)
    }
}
