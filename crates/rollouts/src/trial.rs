//! The tally of a rollout: hung into the data plane while its driver runs, told how slow is slow as soon as that is
//! known, and read as evidence.

use std::sync::Arc;

use pitbird_analysis::latency::QUANTILES;
use pitbird_analysis::{Arm, Bucket, Firsts, RouteBucket, Slow, Timed};
use pitbird_names::Percent;
use pitbird_records::rollout::{Target, Thresholds};
use pitbird_rollout::plan::{
    HISTORY_PATIENCE_MS, HISTORY_REQUESTS, HISTORY_REQUESTS_MIN, LATENCY_HISTORY, SLOWER_BY,
};
use pitbird_rollout::{Check, Evidence, ObservedCeiling, ObservedFirsts, ObservedLatency, ObservedRoute};
use pitbird_telemetry::tally::{
    Arms, Beyond, CEILINGS_MAX, Classes, Counted, FIRSTS_MAX, Failed, History, Limits, Slot, Spec, Tally,
    Watch,
};

use crate::meter::Seen;
use crate::{LiveTarget, Rollout, SlotsOf};

/// A route with fewer requests than this is measured by the thresholds of all.
const ROUTE_REQUESTS_MIN: u64 = 100;

/// After so long it is forgotten which clients have failed, ms: those who fail when the canary goes bad late may have failed before.
const FIRSTS_MS: u64 = 3_600_000;

/// What counts a rollout's requests, as long as this lives.
pub struct Trial {
    tally: Arc<Tally>,
    /// Since when clients who have failed are remembered, epoch ms.
    since_ms: u64,
    /// First failures remembered that were counted under earlier weights.
    remembered: u64,
    watched: Vec<(Arc<Slot>, Arc<Watch>)>,
}

impl Trial {
    pub fn new(slots: &SlotsOf, rollout: &Rollout, now_ms: u64) -> Trial {
        let targets = LiveTarget::all(&rollout.scope, &rollout.target);
        let routes = rollout.plan.judged().routes.clone();
        let ceilings = rollout.plan.guardrails().latency.iter();
        let ceilings_us = ceilings.map(|ceiling| ceiling.above_ms.saturating_mul(1_000)).collect();
        let is_timed = rollout.plan.judged().latency.is_some();
        let is_by_user = rollout.plan.judged().users;
        let has_pairs = rollout.plan.judged().pairs;
        let tally = Arc::new(Tally::new(Spec { routes, is_timed, ceilings_us, is_by_user, has_pairs }));
        tally.weigh(rollout.state.weight());
        // Of several functions each is a route.
        let is_apart = matches!(rollout.target, Target::LambdaAliases(_));
        let watch = |(number, target): (usize, &LiveTarget)| {
            let (subject, [base, canary]) = target.subject();
            let route = is_apart.then_some(number);
            (slots(subject), Arc::new(Watch { tally: tally.clone(), base, canary, route }))
        };
        let watched = targets.iter().enumerate().map(watch).collect();
        let trial = Trial { watched, tally, since_ms: now_ms, remembered: 0 };
        if let Some(thresholds) = &rollout.thresholds {
            trial.freeze(rollout, thresholds);
        }
        trial.watched.iter().for_each(|(slot, watch)| slot.put(watch.clone()));
        trial
    }

    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    pub fn read(&self) -> Counted {
        self.tally.read()
    }

    /// The canary's share has changed: first failures are counted for this one from now on.
    pub fn weigh(&mut self, percent: Percent) {
        if let Some(counted) = self.tally.read().firsts {
            self.remembered += counted.entries();
            self.tally.weigh(percent);
        }
    }

    /// The share has stayed, and all that was counted is written down. Forgets who has failed where that was long ago, or where so many
    /// have that the next ones would be taken for them: neither depends on which arm it was.
    pub fn forget_in_time(&mut self, now_ms: u64) {
        let Some(counted) = self.tally.read().firsts else { return };
        let entries = self.remembered + counted.entries();
        let is_due = entries >= FIRSTS_MAX || now_ms.saturating_sub(self.since_ms) >= FIRSTS_MS;
        if is_due {
            (self.since_ms, self.remembered) = (now_ms, 0);
            self.tally.forget();
        }
    }

    /// The thresholds that requests are counted by from now on; `None` where latency isn't judged, and while the base's
    /// history is too short.
    pub fn thresholds(&self, rollout: &Rollout, now_ms: u64) -> Option<Thresholds> {
        rollout.plan.judged().latency.as_ref()?;
        if let Some(limits) = self.tally.limits() {
            let (all, routes) = limits.split_first()?;
            let routes_us = routes.iter().map(|limits| limits.base).collect();
            return Some(Thresholds { all_us: all.base, routes_us });
        }
        let all = self.tally.history(None)?;
        let requests = all.requests();
        let is_late = now_ms.saturating_sub(rollout.started_ms) >= HISTORY_PATIENCE_MS;
        if requests < HISTORY_REQUESTS_MIN || (requests < HISTORY_REQUESTS && !is_late) {
            return None;
        }
        let all_us = quantiles(&all)?;
        let of = |route| {
            let history = self.tally.history(Some(route));
            let history = history.filter(|history| history.requests() >= ROUTE_REQUESTS_MIN);
            history.and_then(|history| quantiles(&history)).unwrap_or(all_us)
        };
        let routes_us = (0..rollout.plan.judged().routes.len()).map(of).collect();
        let thresholds = Thresholds { all_us, routes_us };
        self.freeze(rollout, &thresholds);
        Some(thresholds)
    }

    fn freeze(&self, rollout: &Rollout, thresholds: &Thresholds) {
        let slower_by = rollout.plan.judged().latency.as_ref().map_or(SLOWER_BY, |latency| latency.slower_by);
        let limits = |base: &[u64; 4]| Limits {
            base: *base,
            canary: base.map(|base| (base as f64 * (1.0 + slower_by)).round() as u64),
        };
        self.tally.freeze(limits(&thresholds.all_us), thresholds.routes_us.iter().map(limits).collect());
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.watched.iter().for_each(|(slot, watch)| slot.take(watch));
    }
}

fn quantiles(history: &History) -> Option<[u64; 4]> {
    let found = QUANTILES.map(|quantile| history.quantile_us(quantile));
    found.iter().all(Option::is_some).then(|| found.map(Option::unwrap_or_default))
}

/// Adds to the evidence what the tally has seen, as far as the plan judges it.
pub fn add(evidence: &mut Evidence, rollout: &Rollout, seen: &[Seen]) {
    let judged = rollout.plan.judged();
    let is_timed = judged.latency.is_some();
    for Seen { percent, arms, routes, beyond, firsts, .. } in seen {
        if let Some(firsts) = firsts {
            let of_routes = judged.routes.iter().map(Some).zip(firsts.routes.iter().copied());
            for (route, Failed { canary, base }) in std::iter::once((None, firsts.all)).chain(of_routes) {
                let firsts = Firsts { canary, base };
                if !firsts.is_empty() {
                    evidence.firsts.push(ObservedFirsts { percent: *percent, route: route.cloned(), firsts });
                }
            }
        }
        let ceilings = 0..rollout.plan.guardrails().latency.len();
        evidence.ceilings.extend(ceilings.filter_map(|ceiling| observed_ceiling(*beyond, ceiling)));
        let timed = timed(*arms);
        if is_timed && timed != Timed::default() {
            evidence.latency.push(ObservedLatency { percent: *percent, timed });
        }
        for (route, arms) in judged.routes.iter().zip(routes).filter(|(_, arms)| !arms.is_empty()) {
            let bucket = route_bucket(*arms, is_timed);
            evidence.routes.push(ObservedRoute { percent: *percent, route: route.clone(), bucket });
        }
    }
}

fn observed_ceiling(beyond: Beyond, ceiling: usize) -> Option<ObservedCeiling> {
    // A band is counted before it is read, so those above are requests.
    let arm = |(requests, above): (u64, [u64; CEILINGS_MAX])| {
        Arm::new(requests, above.get(ceiling).copied().unwrap_or_default()).expect("a band is a part of all")
    };
    let bucket = Bucket { canary: arm(beyond.canary), base: arm(beyond.base) };
    (!beyond.is_empty()).then_some(ObservedCeiling { ceiling, bucket })
}

/// Whether the base's history suffices, where the plan asks for that.
pub fn check(rollout: &Rollout, is_known: bool) -> Option<Check> {
    let is_asked = rollout.plan.rules().checks.iter().any(|check| check == LATENCY_HISTORY);
    (is_asked && is_known).then(|| Check { name: LATENCY_HISTORY.to_owned(), passed: true })
}

fn timed(arms: Arms) -> Timed {
    // A request is in one class only, so slow ones are requests, and fall from threshold to threshold.
    let slow = |classes: Classes| Slow::new(classes.warm(), classes.above()).expect("bands are disjoint");
    Timed { canary: slow(arms.canary), base: slow(arms.base) }
}

fn route_bucket(arms: Arms, is_timed: bool) -> RouteBucket {
    let arm = |requests, events| Arm::new(requests, events).expect("a class is a part of all");
    let failures = |classes: Classes| arm(classes.requests(), classes.failures());
    let cold = |classes: Classes| arm(classes.requests(), classes.cold());
    RouteBucket {
        errors: Bucket { canary: failures(arms.canary), base: failures(arms.base) },
        cold: Bucket { canary: cold(arms.canary), base: cold(arms.base) },
        timed: if is_timed { timed(arms) } else { Timed::default() },
    }
}
