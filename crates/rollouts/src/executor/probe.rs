//! Probes of one rollout, beside its loop: each of its list in turn to both arms, as long as the canary has a share.

use std::sync::Arc;
use std::time::Duration;

use pitbird_names::Scope;
use pitbird_records::rollout::{Probe, Probes, Target};
use pitbird_telemetry::tally::Tally;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Parts, ProbeCall, Rollout, StageProbe, VersionProbe};

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
        let Some((probes, tally)) = wanted else {
            self.sending.abort_all();
            return;
        };
        while self.sending.try_join_next().is_some() {}
        if self.sending.is_empty() {
            let (scope, target) = (rollout.scope.clone(), rollout.target.clone());
            let sender = Sender { parts: self.parts.clone(), tally: tally.clone(), scope, target };
            self.sending.spawn(sender.send(probes.clone()));
        }
    }
}

struct Sender {
    parts: Arc<Parts>,
    tally: Arc<Tally>,
    scope: Scope,
    target: Target,
}

impl Sender {
    async fn send(self, probes: Probes) {
        let sender = Arc::new(self);
        let mut ticks = interval(Duration::from_secs_f64(1.0 / probes.per_second));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // Not at once: when the server starts, the first could come before all is there that it needs.
        ticks.reset();
        let mut waiting = JoinSet::new();
        for probe in probes.requests.iter().cycle() {
            ticks.tick().await;
            while waiting.try_join_next().is_some() {}
            if waiting.len() >= AT_ONCE_MAX {
                waiting.join_next().await;
            }
            waiting.spawn(sender.clone().pair(probe.clone()));
        }
    }

    /// One of them to both arms, either first: what is answered by one alone is no pair.
    async fn pair(self: Arc<Self>, probe: Probe) {
        let is_canary_first = (self.parts.entropy)() & 1 == 1;
        let Some(first) = self.ask(is_canary_first, &probe).await else { return };
        let Some(second) = self.ask(!is_canary_first, &probe).await else { return };
        let (base, canary) = if is_canary_first { (second, first) } else { (first, second) };
        self.tally.pair(base, canary);
    }

    async fn ask(&self, is_canary: bool, probe: &Probe) -> Option<bool> {
        (self.parts.probe)(self.call(is_canary, probe)?).await
    }

    /// Nothing where the probe isn't of the target's kind, which no rollout is started with.
    fn call(&self, is_canary: bool, probe: &Probe) -> Option<ProbeCall> {
        match (&self.target, probe) {
            (Target::RestStage(target), Probe::Request(request)) => Some(ProbeCall::Request(StageProbe {
                api_id: target.api_id.clone(),
                stage: target.stage.clone(),
                is_canary,
                deployment: if is_canary { &target.canary } else { &target.base }.clone(),
                request: request.clone(),
            })),
            (Target::LambdaAlias(target), Probe::Event { payload }) => Some(ProbeCall::Event(VersionProbe {
                scope: self.scope.clone(),
                function: target.function.clone(),
                version: if is_canary { target.canary } else { target.base },
                payload: payload.clone(),
            })),
            _ => None,
        }
    }
}
