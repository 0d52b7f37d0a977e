//! Requests that nobody sends, to one track of a stage: what a rollout compares its releases by where few come in. They go the whole way
//! of a request that asked for its track.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::admitted::Admitted;
use crate::arrival::{Arrival, Peer};
use crate::choose::{By, Chosen};
use crate::execution_log::{self, ExecutionLog, Log};
use crate::integrate::Outcome;
use crate::journey::{dress, route};
use crate::measure::is_failure;
use crate::trace::Traced;
use crate::trial::written;
use crate::{Edge, SignatureFault, Target};

/// By this a function can tell that nobody waits for its answer.
const PROBE: HeaderName = HeaderName::from_static("x-pitbird-probe");
/// Where it seems to come from.
const PEER: Peer<'static> =
    Peer { source: "127.0.0.1", port: 443, scheme: "https", raw_head: &[], timer: None };

/// One request.
#[derive(Debug)]
pub struct Probe<'p> {
    pub api: &'p str,
    pub stage: &'p str,
    pub is_canary: bool,
    /// What the track must serve.
    pub deployment: &'p str,
    pub method: &'p str,
    /// Begins with a `/`, percent-encoded.
    pub path: &'p str,
    /// Without `?`.
    pub query: &'p str,
    pub headers: &'p [(String, String)],
    pub body: Bytes,
}

impl Edge {
    /// Sends a request to one track; whether the answer is a failure. `None` where the track serves something else, and where its
    /// own code or integration hasn't answered.
    pub async fn probe(self: &Arc<Self>, probe: Probe<'_>) -> Option<bool> {
        let (mut head, raw_head) = written(probe.method, probe.query, probe.headers).ok()?;
        head.headers.insert(PROBE, HeaderValue::from_static("true"));
        let snapshot = self.snapshots.load_full();
        let stage = snapshot.stage(probe.api, probe.stage)?;
        let track = match (&stage.canary, probe.is_canary) {
            (Some((_, canary)), true) => canary,
            (Some(_), false) => &stage.base,
            (None, _) => return None,
        };
        if track.deployment.id != probe.deployment {
            return None;
        }
        let active = stage.record.tracing_enabled.then(|| &self.recorder(stage).reservoir);
        let trace = Traced::join(&self.tracer, active, &head);
        let target = Target::new(probe.api, probe.stage, probe.path, None);
        let arrival = Arrival::new(target, &head, Peer { raw_head: &raw_head, ..PEER }, trace);
        let chosen = Chosen { track, is_evidence: false, is_mirrored: false, by: By::Probe };
        let mut routed = route(stage, track, &arrival);
        let log = routed.as_ref().ok().and_then(|routed| ExecutionLog::wanted(routed.setting));
        if let Ok(routed) = &mut routed {
            routed.log = Log(log.as_deref());
        }
        let quoted = track.deployment.gateway_responses.as_ref().map(|_| probe.body.clone());
        let unsigned = |_: &[u8], _: &str| Err(SignatureFault::Missing);
        let (admitted, mut outcome) = match &routed {
            Err(error) => (Admitted::default(), Outcome::error(error.clone())),
            Ok(routed) => {
                Box::pin(self.pass(routed, &arrival, probe.body, &snapshot, &unsigned, false)).await
            }
        };
        // Nobody reads it, but how it ends is told.
        outcome.drain().await;
        let routed = routed.ok();
        dress(&mut outcome, &arrival, (stage, track, routed.as_ref()), &admitted, quoted.as_deref());
        execution_log::finish(Log(log.as_deref()), &arrival, &outcome);
        self.record(stage, chosen, routed.as_ref(), &arrival, &admitted, &outcome);
        outcome.is_releases_own().then(|| is_failure(outcome.counted_status()))
    }
}
