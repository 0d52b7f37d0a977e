//! Probes of one rollout, beside its loop: each request of its list in turn to both arms, as long as the canary is on the stage.

use std::sync::Arc;
use std::time::Duration;

use pitbird_records::rollout::{Probe, Probes, StageTarget, Target};
use pitbird_telemetry::tally::Tally;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Parts, ProbeCall, Rollout};

/// Probes of one rollout that wait for an answer at a time; while there are as many, no others are sent.
const AT_ONCE_MAX: usize = 64;

/// Sends them while this lives and the rollout is on trial.
pub struct Prober {
    parts: Arc<Parts>,
    /// At most one task.
    sending: JoinSet<()>,
}

impl Prober {
    pub fn new(parts: Arc<Parts>) -> Prober {
        Prober { parts, sending: JoinSet::new() }
    }

    /// Begins and stops as the rollout, as it is written down, wants it. A pause stops nothing: it asks for more evidence, if for anything.
    pub fn see(&mut self, rollout: &Rollout, tally: Option<&Arc<Tally>>) {
        let is_on_trial = rollout.state.weight().get() > 0.0 && rollout.state.outcome().is_none();
        let wanted = rollout.probes.as_ref().zip(tally).filter(|_| is_on_trial);
        let (Some((probes, tally)), Target::RestStage(target)) = (wanted, &rollout.target) else {
            self.sending.abort_all();
            return;
        };
        while self.sending.try_join_next().is_some() {}
        if self.sending.is_empty() {
            let sender = Sender { parts: self.parts.clone(), tally: tally.clone(), target: target.clone() };
            self.sending.spawn(sender.send(probes.clone()));
        }
    }
}

struct Sender {
    parts: Arc<Parts>,
    tally: Arc<Tally>,
    target: Box<StageTarget>,
}

impl Sender {
    async fn send(self, probes: Probes) {
        let sender = Arc::new(self);
        let mut ticks = interval(Duration::from_secs_f64(1.0 / probes.per_second));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // Not at once: when the server starts, the first could come before all is there that it needs.
        ticks.reset();
        let mut waiting = JoinSet::new();
        for request in probes.requests.iter().cycle() {
            ticks.tick().await;
            while waiting.try_join_next().is_some() {}
            if waiting.len() >= AT_ONCE_MAX {
                waiting.join_next().await;
            }
            waiting.spawn(sender.clone().pair(request.clone()));
        }
    }

    /// One request to both arms, either first: a request that is answered by one alone is no pair.
    async fn pair(self: Arc<Self>, request: Probe) {
        let is_canary_first = (self.parts.entropy)() & 1 == 1;
        let Some(first) = self.ask(is_canary_first, &request).await else { return };
        let Some(second) = self.ask(!is_canary_first, &request).await else { return };
        let (base, canary) = if is_canary_first { (second, first) } else { (first, second) };
        self.tally.pair(base, canary);
    }

    async fn ask(&self, is_canary: bool, request: &Probe) -> Option<bool> {
        let StageTarget { api_id, stage, base, canary, .. } = self.target.as_ref();
        let call = ProbeCall {
            api_id: api_id.clone(),
            stage: stage.clone(),
            is_canary,
            deployment: if is_canary { canary } else { base }.clone(),
            request: request.clone(),
        };
        (self.parts.probe)(call).await
    }
}
