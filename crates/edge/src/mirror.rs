use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use pitbird_snapshot::Snapshot;
use pitbird_telemetry::tally::Pair;
use tokio::sync::Semaphore;

use crate::Edge;
use crate::admit::admits_like;
use crate::admitted::Admitted;
use crate::arrival::Arrival;
use crate::choose::{By, Chosen};
use crate::copied::Copied;
use crate::execution_log::{self, ExecutionLog, Log};
use crate::integrate::Outcome;
use crate::journey::{dress, find, route};
use crate::routed::Routed;
use crate::trace::Traced;

/// Mirrored requests at a time; while there are as many, no others are mirrored.
const AT_ONCE_MAX: usize = 64;

/// By this a function can tell that nobody will see its answer, and leave out what must not happen twice. Whoever lets clients in
/// takes it from what they send.
pub const MIRRORED: HeaderName = HeaderName::from_static("x-pitbird-mirrored");

/// Requests of the base that the canary gets too.
pub(crate) struct Mirrors(Arc<Semaphore>);

impl Default for Mirrors {
    fn default() -> Mirrors {
        Mirrors(Arc::new(Semaphore::new(AT_ONCE_MAX)))
    }
}

impl Edge {
    /// Sends an admitted request to the canary as well, beside the client's own; not where the canary would have asked for something
    /// else to admit it. It is recorded as the canary's and is no evidence: who judges by a split must not see one that nobody
    /// chose. Both answers together may be: gives the pair that they are, where somebody compares them.
    pub(crate) fn mirror<'a>(
        self: &Arc<Self>,
        base: &Routed<'_, 'a>,
        arrival: &Arrival<'a>,
        admitted: &Admitted,
        body: &Bytes,
        snapshot: &Arc<Snapshot>,
    ) -> Option<Arc<Pair>> {
        let (_, canary) = base.stage.canary.as_ref()?;
        if route(base.stage, canary, arrival).is_ok_and(|routed| !admits_like(&routed, base, arrival, body)) {
            return None;
        }
        let permit = self.mirrors.0.clone().try_acquire_owned().ok()?;
        let pair = self.recorder(base.stage).pair();
        let half = pair.clone();
        let (edge, mut copied, body) = (self.clone(), Copied::of(arrival), body.clone());
        copied.head.headers.insert(MIRRORED, HeaderValue::from_static("true"));
        let trace = arrival.trace.as_ref().map(Traced::beside);
        let (snapshot, admitted) = (snapshot.clone(), admitted.clone());
        // Nobody waits for it: its integration's own limit ends it, and the invoker's end does.
        tokio::spawn(async move {
            let _permit = permit;
            let target = copied.target();
            let arrival = Arrival::new(target, &copied.head, copied.peer(), trace);
            let Some(stage) = find(&snapshot, target) else { return };
            let Some((_, canary)) = &stage.canary else { return };
            let chosen = Chosen { track: canary, is_evidence: false, is_mirrored: false, by: By::Mirror };
            let log;
            // Only an answer of the API's own form may quote the body.
            let quoted = canary.deployment.gateway_responses.as_ref().map(|_| body.clone());
            let (routed, mut outcome) = match route(stage, canary, &arrival) {
                Ok(mut routed) => {
                    log = ExecutionLog::wanted(routed.setting);
                    routed.log = Log(log.as_deref());
                    execution_log::arrived(routed.log, &arrival);
                    execution_log::begin(&routed, &arrival, &admitted, &body);
                    let means = edge.means(&snapshot, &admitted);
                    let mut outcome = edge.integrate_or_recall(&routed, &arrival, body, &means).await;
                    outcome.functions = means.functions.read().noted();
                    // Nobody reads it, but how it ends is told.
                    outcome.drain().await;
                    (Some(routed), outcome)
                }
                Err(error) => (None, Outcome::error(error)),
            };
            outcome.pair = half;
            let place = (stage.as_ref(), canary, routed.as_ref());
            dress(&mut outcome, &arrival, place, &admitted, quoted.as_deref());
            let log = routed.as_ref().map_or_else(Log::default, |routed| routed.log);
            execution_log::finish(log, &arrival, &outcome);
            edge.record(stage, chosen, routed.as_ref(), &arrival, &admitted, &outcome);
        });
        pair
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GatewayError;
    use crate::answer::Answer;
    use crate::used::FunctionUse;

    #[test]
    fn what_no_release_has_decided_is_no_half_of_a_pair() {
        for (error, is_own) in [
            (GatewayError::BadIntegrationAnswer, true),
            (GatewayError::IntegrationTimeout, true),
            (GatewayError::IntegrationFailure, true),
            (GatewayError::ApiConfiguration, true),
            (GatewayError::MissingAuthenticationToken, false),
            (GatewayError::Throttled, false),
            (GatewayError::AuthorizerConfiguration, false),
            (GatewayError::InvalidBody(String::new()), false),
        ] {
            assert_eq!(Outcome::error(error.clone()).is_releases_own(), is_own, "{error:?}");
        }
        let answer = || {
            Outcome::answer(Answer { status: 500, headers: Vec::new(), body: Bytes::new(), is_traced: false })
        };
        assert!(answer().is_releases_own());
        assert!(Outcome { is_cache_hit: Some(false), ..answer() }.is_releases_own());
        assert!(!Outcome { is_cache_hit: Some(true), ..answer() }.is_releases_own());
        let functions = FunctionUse { is_throttled: true, ..FunctionUse::default() }.noted();
        assert!(!Outcome { functions, ..answer() }.is_releases_own());
    }
}
