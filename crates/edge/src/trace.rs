//! A request's own part in its trace: joined at the door, told to the integration, recorded at the end.
//!
//! Where nobody records traces there is none of it: a request's headers then say what the client said, or name a new root.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use pitbird_names::Scope;
use pitbird_snapshot::{
    Backend, HttpApiTarget, HttpStage, Integration, LambdaTarget, Resource, Stage, Target, Track,
};
use pitbird_trace::{Context, Kind, Reservoir, Span, SpanId, TraceId, Tracer};

use crate::arrival::Arrival;
use crate::choose::Chosen;
use crate::integrate::Outcome;

const XRAY: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const W3C: HeaderName = HeaderName::from_static("traceparent");
const W3C_STATE: HeaderName = HeaderName::from_static("tracestate");

/// A request where traces are recorded; not every one is.
#[derive(Debug)]
pub(crate) struct Traced {
    /// As the client told it, or a new one.
    context: Context,
    is_sampled: bool,
    is_recorded: bool,
    own: SpanId,
    /// What the integration's callee has for its parent.
    integration: SpanId,
    began: Instant,
    began_ns: u64,
    /// From when to when the integration was asked, since the request began.
    asked: OnceLock<(Duration, Duration)>,
}

/// An exchange of a REST API that is over.
pub(crate) struct Exchange<'a> {
    pub stage: &'a Stage,
    pub chosen: Chosen<'a>,
    pub resource: Option<&'a Resource>,
    pub arrival: &'a Arrival<'a>,
    pub outcome: &'a Outcome,
}

/// An exchange of an HTTP API that is over.
pub(crate) struct HttpExchange<'a> {
    pub stage: &'a HttpStage,
    pub route_key: Option<&'a str>,
    pub target: Option<&'a HttpApiTarget>,
    pub arrival: &'a Arrival<'a>,
    pub status: u16,
    pub backend_status: Option<u16>,
    pub error: Option<&'a str>,
}

impl Traced {
    /// Joins the trace that a request belongs to, where the server records traces or the stage does. Whoever sent it has decided
    /// whether it is recorded; else the server's rate decides, and for a stage that traces X-Ray's own rule.
    pub fn join(tracer: &Tracer, active: Option<&Reservoir>, head: &Parts) -> Option<Traced> {
        if active.is_none() && !tracer.is_on() {
            return None;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let context = carried(&head.headers).unwrap_or_else(|| Context {
            trace: TraceId::new(since.as_secs() as u32, fastrand::u128(..)),
            parent: None,
            is_sampled: None,
        });
        let is_sampled = context.is_sampled.unwrap_or_else(|| {
            let takes = |reservoir: &Reservoir| reservoir.takes(since.as_secs(), fastrand::f64());
            tracer.decide(fastrand::f64()) || active.is_some_and(takes)
        });
        Some(Traced {
            context,
            is_sampled,
            is_recorded: is_sampled && tracer.is_on(),
            own: SpanId::new(fastrand::u64(..)),
            integration: SpanId::new(fastrand::u64(..)),
            began: Instant::now(),
            began_ns: since.as_nanos() as u64,
            asked: OnceLock::new(),
        })
    }

    /// The same request once more, beside this one.
    pub fn beside(&self) -> Traced {
        Traced {
            context: Context { parent: Some(self.own), ..self.context },
            own: SpanId::new(fastrand::u64(..)),
            integration: SpanId::new(fastrand::u64(..)),
            asked: OnceLock::new(),
            ..*self
        }
    }

    pub fn is_recorded(&self) -> bool {
        self.is_recorded
    }

    /// `X-Amzn-Trace-Id` for the integration.
    pub fn header(&self) -> String {
        self.onward(self.integration).to_xray()
    }

    /// `X-Amzn-Trace-Id` for an authorizer.
    pub fn authorizer_header(&self) -> String {
        self.onward(self.own).to_xray()
    }

    /// What is told from here on: a recorded trace goes through us, of any other only the decision is told.
    fn onward(&self, span: SpanId) -> Context {
        let parent = if self.is_sampled { Some(span) } else { self.context.parent };
        Context { trace: self.context.trace, parent, is_sampled: Some(self.is_sampled) }
    }

    /// The head as integrations see it, where it has a `traceparent` that would tell another parent. W3C's other header stays, but for
    /// one that came with a `traceparent` nobody can read. Source: W3C Trace Context, "Mutating the traceparent field".
    pub fn told(&self, head: &Parts) -> Option<Parts> {
        if !self.is_sampled || !head.headers.contains_key(W3C) {
            return None;
        }
        let mut told = head.clone();
        if w3c(&head.headers).and_then(Context::parse_w3c).is_none() {
            told.headers.remove(W3C_STATE);
        }
        self.insert_w3c(&mut told.headers);
        Some(told)
    }

    /// Tells an HTTP endpoint.
    pub fn tell(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(self.header()) {
            headers.insert(XRAY, value);
        }
        if self.is_recorded {
            self.insert_w3c(headers);
        }
    }

    fn insert_w3c(&self, headers: &mut HeaderMap) {
        let told = self.onward(self.integration).to_w3c();
        if let Some(value) = told.and_then(|told| HeaderValue::try_from(told).ok()) {
            headers.insert(W3C, value);
        }
    }

    /// The integration is about to be asked, at this time since the request began.
    pub fn asks(&self) -> Option<Duration> {
        self.is_recorded.then(|| self.began.elapsed())
    }

    /// It has answered, or failed to.
    pub fn answered(&self, asked: Option<Duration>) {
        if let Some(asked) = asked {
            // It is asked once.
            let _ = self.asked.set((asked, self.began.elapsed()));
        }
    }

    /// Records an exchange of a REST API.
    pub fn record(&self, tracer: &Tracer, exchange: Exchange<'_>) {
        let Exchange { stage, chosen, resource, arrival, outcome } = exchange;
        let integration = resource.and_then(|resource| Some(&resource.method(arrival.method())?.integration));
        let asked = integration.and_then(|integration| asked_of(integration, chosen.track));
        let told = outcome.integration.as_ref();
        let error = told.and_then(|told| told.error.as_deref());
        self.record_integration(tracer, asked, told.and_then(|told| told.status), error);
        let route = resource.map(|resource| resource.path.as_str());
        let mut span = self.server(arrival, route, outcome.answer.status);
        say_place(&mut span, &stage.scope, &stage.api_id, &stage.record.name);
        span.say("pitbird.deployment.id", chosen.track.deployment.id.as_str());
        span.say("pitbird.track", if chosen.track.is_canary { "canary" } else { "base" });
        span.say_some("pitbird.track.chosen_by", chosen.by.word());
        span.say_some("pitbird.cache.hit", outcome.is_cache_hit);
        span.say("aws.extended_request_id", arrival.extended_request_id.as_str());
        let own_answer = outcome.error.as_deref().map(|error| error.response_type());
        span.say_some("pitbird.gateway_response", own_answer);
        tracer.record(span);
    }

    /// Records an exchange of an HTTP API.
    pub fn record_http(&self, tracer: &Tracer, exchange: &HttpExchange<'_>) {
        let HttpExchange { stage, route_key, target, arrival, status, backend_status, error } = *exchange;
        let asked = target.and_then(|target| match target {
            HttpApiTarget::Function(Ok(function)) => Some(Asked::Function(function)),
            HttpApiTarget::Function(Err(_)) => None,
            HttpApiTarget::Url(_) => Some(Asked::Endpoint),
        });
        self.record_integration(tracer, asked, backend_status, error);
        let route = route_key.map(|key| key.split_once(' ').map_or(key, |(_, path)| path));
        let mut span = self.server(arrival, route, status);
        say_place(&mut span, &stage.scope, &stage.api_id, &stage.record.name);
        tracer.record(span);
    }

    fn record_integration(
        &self,
        tracer: &Tracer,
        asked: Option<Asked<'_>>,
        status: Option<u16>,
        error: Option<&str>,
    ) {
        let (Some(asked), Some((began, ended))) = (asked, self.asked.get()) else { return };
        let name = match &asked {
            Asked::Function(target) => target.function.name.clone(),
            Asked::Endpoint => "HTTP".to_owned(),
            Asked::Service(name) => (*name).to_owned(),
        };
        let mut span = self.span(self.integration, Some(self.own), Kind::Client, name, (*began, *ended));
        match asked {
            Asked::Function(target) => {
                span.say("faas.invoked_name", target.function.name.as_str());
                span.say("faas.invoked_provider", "aws");
                span.say("faas.invoked_region", target.function.scope.region.as_str());
                span.say_some("pitbird.qualifier", target.qualifier.as_ref().map(ToString::to_string));
            }
            Asked::Endpoint => {}
            Asked::Service(name) => span.say("rpc.service", name),
        }
        span.say_some("http.response.status_code", status);
        span.error = error.map(|error| error.chars().take(ERROR_CHARS_MAX).collect());
        tracer.record(span);
    }

    fn server(&self, arrival: &Arrival<'_>, route: Option<&str>, status: u16) -> Span {
        let method = known_method(arrival.method());
        let name = route.map_or_else(|| method.to_owned(), |route| [method, " ", route].concat());
        let times = (Duration::ZERO, self.began.elapsed());
        let mut span = self.span(self.own, self.context.parent, Kind::Server, name, times);
        span.say("http.request.method", method);
        span.say_some("http.route", route);
        span.say("http.response.status_code", status);
        span.say("url.path", arrival.path());
        span.say("url.scheme", arrival.peer.scheme);
        let host = arrival.host();
        span.say("server.address", host.rsplit_once(':').map_or(host, |(name, _)| name));
        span.say("server.port", arrival.peer.port);
        span.say("client.address", arrival.peer.source);
        span.say(
            "network.protocol.version",
            arrival.protocol().trim_start_matches("HTTP/").trim_end_matches(".0"),
        );
        span.say_some("user_agent.original", arrival.header(header::USER_AGENT));
        span.say("aws.request_id", arrival.request_id.as_str());
        if status >= 500 {
            span.say("error.type", status.to_string());
            span.error = Some(String::new());
        }
        span
    }

    fn span(
        &self,
        id: SpanId,
        parent: Option<SpanId>,
        kind: Kind,
        name: String,
        (began, ended): (Duration, Duration),
    ) -> Span {
        let at_ns = |since: Duration| self.began_ns + since.as_nanos() as u64;
        Span {
            trace: self.context.trace,
            id,
            parent,
            kind,
            name,
            start_ns: at_ns(began),
            end_ns: at_ns(ended),
            attributes: Vec::with_capacity(20),
            error: None,
            link: None,
        }
    }
}

/// A method as traces tell it: of those that nobody knows there may be any number. Source: OpenTelemetry's semantic conventions for
/// HTTP spans, `http.request.method`.
fn known_method(method: &str) -> &str {
    const KNOWN: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
    if KNOWN.contains(&method) { method } else { "_OTHER" }
}

/// Of an integration's failure, so much is told.
const ERROR_CHARS_MAX: usize = 512;

/// Whom an integration asks; a mock asks nobody.
enum Asked<'a> {
    Function(&'a LambdaTarget),
    Endpoint,
    Service(&'a str),
}

fn asked_of<'a>(integration: &Integration, track: &'a Track) -> Option<Asked<'a>> {
    let function = |at: usize| track.function(at).ok().map(Asked::Function);
    match integration {
        Integration::LambdaProxy { target, .. } => function(*target),
        Integration::HttpProxy(_) => Some(Asked::Endpoint),
        Integration::Mapped(mapped) => match &mapped.backend {
            Backend::Mock => None,
            Backend::Http { .. } => Some(Asked::Endpoint),
            Backend::Aws { target, .. } => match track.targets[*target].as_ref().ok()? {
                Target::Function(target) => Some(Asked::Function(target)),
                Target::Service(target) => Some(Asked::Service(&target.service)),
                Target::Http(_) => None,
            },
        },
        Integration::Mock(_) | Integration::Unconfigured => None,
    }
}

fn say_place(span: &mut Span, scope: &Scope, api_id: &str, stage: &str) {
    span.say("pitbird.api.id", api_id);
    span.say("pitbird.stage", stage);
    span.say("cloud.account.id", scope.account.as_str());
    span.say("cloud.region", scope.region.as_str());
}

/// The `X-Amzn-Trace-Id` of a request that nobody here records, which came at `at_ms`, milliseconds since 1970.
pub(crate) fn untold(headers: &HeaderMap, at_ms: u64) -> String {
    let new = || TraceId::new((at_ms / 1000) as u32, fastrand::u128(..));
    pitbird_trace::header(xray(headers), w3c(headers), new).into_owned()
}

fn carried(headers: &HeaderMap) -> Option<Context> {
    Context::carried(xray(headers), w3c(headers))
}

fn xray(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(XRAY).map(HeaderValue::as_bytes)
}

/// Of two it can't be said which counts, so none does.
fn w3c(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(W3C).iter();
    let first = all.next()?;
    all.next().is_none().then_some(first.as_bytes())
}

#[cfg(test)]
mod tests;
