//! A request's way through an HTTP API: find, route, hold back, authorize, integrate, answer, record.

mod admitted;
mod answer;
mod authorize;
mod context;
mod cors;
mod error;
mod exchange;
mod function_authorizer;
mod integrate;
mod mapping;
mod proxy;
mod record;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use http_body_util::Full;
use pitbird_names::limits;
use pitbird_records::usage_plan::Throttle;
use pitbird_snapshot::{HttpApi, HttpMatch, HttpStage, Snapshot};

use admitted::{Admitted, Decision};
use answer::Answer;
use authorize::Refused;
use context::Seen;
pub(crate) use error::HttpError;
use integrate::Outcome;

use crate::arrival::{Arrival, Peer};
use crate::authorizer_cache::AuthorizerCache;
use crate::journey::read_body;
use crate::throttle::Buckets;
use crate::trace::Traced;
use crate::{Edge, GatewayError, Target, UrlSigner};

/// What HTTP APIs keep from one request to the next.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    buckets: Buckets,
    decisions: AuthorizerCache<Decision>,
}

/// A request that has found its route: the values of the steps before.
struct Routed<'r, 'a> {
    stage: &'r HttpStage,
    matched: HttpMatch<'r, 'a>,
    arrival: &'r Arrival<'r>,
    seen: &'r Seen<'r>,
    snapshot: &'r Snapshot,
}

/// What a route may take when only one of its two limits is set, and at most. Source: API Gateway quotas, of an account.
const ACCOUNT: Throttle = Throttle { burst_limit: 5000, rate_limit: 10_000.0 };

impl Edge {
    /// A request's whole way through an HTTP API. `signer_of` reads a signature over the head and a body, for whom the ARN is
    /// what is asked for; `None` is no valid one.
    pub async fn serve_http<B>(
        &self,
        snapshot: Arc<Snapshot>,
        target: Target<'_>,
        head: &Parts,
        body: B,
        peer: Peer<'_>,
        signer_of: impl Fn(&[u8], &str) -> Option<UrlSigner>,
    ) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let trace = Traced::join(&self.tracer, None, head);
        let told = trace.as_ref().and_then(|traced| traced.told(head));
        let arrival = Arrival::new(target, told.as_ref().unwrap_or(head), peer, trace);
        let (path, domain) = (arrival.path(), arrival.domain());
        let seen = Seen::of(&arrival, &path, &domain);
        let Some((api, stage, below)) = find(&snapshot, target, &path) else {
            let request_id = arrival.extended_request_id.clone();
            return Answer::of_error(&HttpError::NotFound).into_response(request_id);
        };
        let body = read_body(arrival.headers(), body).await.map_err(|error| match error {
            GatewayError::RequestTooLarge => HttpError::BodyTooLarge,
            _ => HttpError::BadRequest,
        });
        let body_bytes = body.as_ref().map_or(0, Bytes::len);
        let routed = route(&snapshot, stage, below, &arrival, &seen);
        // Of a route that lets in only some, browsers' questions are its own to answer.
        let cors = api.cors.as_ref();
        let answering = cors.filter(|_| !routed.as_ref().is_ok_and(Routed::is_guarded));
        let preflight = answering.and_then(|cors| cors::preflight(cors, arrival.verb(), arrival.headers()));
        let telling = cors.filter(|_| preflight.is_none());
        let (mut outcome, admitted) = match (preflight, &routed, body) {
            (Some(answer), ..) => (Outcome::answer(answer), Admitted::Anybody),
            (_, Err(error), _) => (Outcome::error(error.clone()), Admitted::Anybody),
            (_, _, Err(error)) => (Outcome::error(error), Admitted::Anybody),
            (_, Ok(routed), Ok(body)) => match self.admit(routed, &body, signer_of).await {
                Ok(admitted) => (self.integrate(routed, &admitted, body).await, admitted),
                Err(refused) => (Outcome::refused(refused), Admitted::Anybody),
            },
        };
        if let Some(cors) = telling {
            cors::apply(cors, arrival.headers(), &mut outcome.answer);
        }
        let route_key = routed.as_ref().ok().map(|routed| routed.matched.route.key.as_str());
        record::record(
            self,
            stage,
            &record::Exchange {
                seen: &seen,
                arrival: &arrival,
                route_key,
                admitted: &admitted,
                outcome: &outcome,
                body_bytes,
                target: routed
                    .as_ref()
                    .ok()
                    .map(|routed| &stage.targets[routed.matched.route.integration.index]),
            },
        );
        outcome.answer.into_response(arrival.extended_request_id.clone())
    }

    /// Holds back who comes too often, and lets in who may come.
    async fn admit(
        &self,
        routed: &Routed<'_, '_>,
        body: &[u8],
        signer_of: impl Fn(&[u8], &str) -> Option<UrlSigner>,
    ) -> Result<Admitted, Refused> {
        let key = routed.matched.route.key.as_str();
        if let Some(limit) = limit(routed.stage, key)
            && !self.http.buckets.take((&routed.stage.api_id, &routed.stage.record.name, key), limit)
        {
            return Err(HttpError::TooManyRequests.into());
        }
        if self.take_of_account(&routed.stage.scope).is_err() {
            return Err(HttpError::TooManyRequests.into());
        }
        authorize::authorize(self, routed, |arn| signer_of(body, arn)).await
    }
}

/// The stage that may be reached under this URL, and the path below it.
fn find<'s, 'p>(
    snapshot: &'s Snapshot,
    target: Target<'p>,
    path: &'p str,
) -> Option<(&'s HttpApi, &'s Arc<HttpStage>, &'p str)> {
    let api = snapshot.http_api(target.api)?;
    if target.mapped.is_some() {
        return Some((api, api.stages.get(target.stage)?, target.path));
    }
    if api.disable_execute_api_endpoint {
        return None;
    }
    let (stage, below) = match target.names_default() {
        true => (api.stages.get("$default")?, path),
        false => api.stage(path)?,
    };
    Some((api, stage, below))
}

fn route<'r, 'a>(
    snapshot: &'r Snapshot,
    stage: &'r HttpStage,
    below: &'a str,
    arrival: &'r Arrival<'r>,
    seen: &'r Seen<'r>,
) -> Result<Routed<'r, 'a>, HttpError> {
    // Request line and headers share one bound. Source: API Gateway quotas, HTTP APIs.
    let line_bytes = seen.path.len() + arrival.query().len();
    let header_bytes: usize =
        arrival.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if line_bytes > limits::GATEWAY_HEADER_BYTES {
        return Err(HttpError::UriTooLong);
    }
    if line_bytes + header_bytes > limits::GATEWAY_HEADER_BYTES {
        return Err(HttpError::HeadersTooLarge);
    }
    let matched = stage.deployment.route(arrival.method(), below).ok_or(HttpError::NotFound)?;
    Ok(Routed { stage, matched, arrival, seen, snapshot })
}

/// How often a route may be asked: by its own settings, else by those of all routes, of which each has them for itself.
fn limit(stage: &HttpStage, route_key: &str) -> Option<Throttle> {
    let own = stage.record.route_settings.get(route_key);
    let all = &stage.record.default_route_settings;
    let burst = own.and_then(|own| own.throttling_burst_limit).or(all.throttling_burst_limit);
    let rate = own.and_then(|own| own.throttling_rate_limit).or(all.throttling_rate_limit);
    if burst.is_none() && rate.is_none() {
        return None;
    }
    Some(Throttle {
        burst_limit: burst.unwrap_or(ACCOUNT.burst_limit),
        rate_limit: rate.unwrap_or(ACCOUNT.rate_limit),
    })
}

impl Routed<'_, '_> {
    /// Does the route let in only some?
    fn is_guarded(&self) -> bool {
        !matches!(self.matched.route.access, pitbird_snapshot::HttpAccess::Anybody)
    }
}
