//! How fast the weight rises within a step: as fast as the harm that it may still do allows.

use pitbird_analysis::{Findings, Metric};
use pitbird_names::Percent;

use super::RETREAT_PERCENT;
use crate::state::percent_of;
use crate::{Plan, Ramp, Reason, State};

/// Moves within steps at most; then the weight stays, and the steps go on.
pub const MOVES_MAX: u32 = 128;
/// From look to look the weight grows this much at most.
const GROWTH_MAX: f64 = 4.0;
/// Changes smaller than this factor aren't worth a change of the target.
const WORTH_UP: f64 = 1.25;
const WORTH_DOWN: f64 = 0.5;
/// While the canary may fail this much more than the base, it may be broken altogether.
const BROKEN: f64 = 0.8;
/// Evidence against the canary (a natural logarithm) from which on it gets at most this weight, percent: the smaller the
/// weight, the fewer failures convict it or clear it.
const SUSPECT: f64 = 1.0;
const SUSPECT_PERCENT: f64 = 10.0;
/// The same for one route. It is one of many and so must look worse.
const SUSPECT_ROUTE: f64 = 4.5;
const SUSPECT_ROUTE_PERCENT: f64 = 1.0;
/// A route that has answered the canary's requests so often without a failure isn't dead. Until then the weight stays where
/// few failures convict: a route with a hundredth of the traffic is met late, and at half of it a failure says nothing.
const ANSWERED: u64 = 3;
/// A slow answer is this much less harm than a failed one.
const SLOW_PER_FAILURE: f64 = 5.0;
/// How much traffic there may be as long as nobody knows, requests a second.
const UNKNOWN_PER_SECOND: f64 = 1_500.0;
/// The lowest weight, percent.
const LEAST_PERCENT: f64 = 0.0001;

impl State {
    /// Where the ramp begins.
    pub(super) fn first_percent(&self, plan: &Plan) -> Percent {
        let Some(ramp) = plan.ramp() else { return percent_of(plan, 0) };
        let interval_ms = plan.rules().interval_ms;
        let unknown = UNKNOWN_PER_SECOND * interval_ms as f64 / 1e3;
        let traffic = self.course.rate.within(interval_ms).unwrap_or(unknown);
        let first = at_risk(ramp.failures_per_look, traffic, 1.0).min(ramp.first_percent.get());
        rounded(first.min(percent_of(plan, 0).get()))
    }

    /// The weight that the evidence allows now, if it is worth a change.
    pub(super) fn next_percent(&self, plan: &Plan, step: usize, found: &Findings) -> Option<Percent> {
        let ramp = plan.ramp()?;
        let is_free =
            self.course.retreat_ms.is_none() && !is_proven(plan, step) && self.course.moves < MOVES_MAX;
        let traffic = self.course.rate.within(plan.rules().interval_ms).filter(|_| is_free)?;
        let (now, ceiling) = (self.weight.get(), percent_of(plan, step).get());
        let mut allowed = allowed(ramp, traffic, now, found).min(ceiling);
        if self.routes.as_ref().is_some_and(|routes| routes.log_e_of_worst(Metric::Errors) >= SUSPECT_ROUTE) {
            allowed = allowed.min(SUSPECT_ROUTE_PERCENT.min(ramp.first_percent.get()));
        }
        if self.leans_to_worse(plan) {
            // Failures say most where the canary has few of the requests.
            allowed = allowed.min(SUSPECT_PERCENT);
        }
        // A rare route is waited for as long as the step waits anyway.
        if self.now_ms < self.wait_over_ms(plan, step) && self.may_have_dead_route() {
            allowed = allowed.min(SUSPECT_PERCENT.max(now));
        }
        let next = rounded(allowed);
        let reaches = next.get() >= ceiling && now < ceiling;
        let is_worth = next.get() >= WORTH_UP * now || next.get() <= WORTH_DOWN * now || reaches;
        is_worth.then_some(next)
    }

    /// Does the canary's error rate look nearer to one that is worse by the margin than to the base's? An estimate that may be wrong
    /// costs a good canary time, and nobody anything else.
    fn leans_to_worse(&self, plan: &Plan) -> bool {
        self.course.excess.is_beyond(plan.rules().margin / 2.0)
    }

    /// Is there a route that has requests, and hardly any answered by the canary?
    fn may_have_dead_route(&self) -> bool {
        let Some(routes) = &self.routes else { return false };
        (0..routes.routes()).any(|route| {
            let (canary, base) = routes.requests(route).unwrap_or_default();
            let failed = routes.events(route, Metric::Errors).unwrap_or_default().0;
            base > 0 && canary.saturating_sub(failed) < ANSWERED
        })
    }

    pub(super) fn shift_within(&mut self, plan: &Plan, step: usize, percent: Percent) -> Reason {
        self.course.percent = percent;
        self.course.moves += 1;
        self.move_to(plan, step)
    }
}

/// Has the canary been shown to be not worse before a step is entered? Then its weight comes at once.
pub(crate) fn is_proven(plan: &Plan, step: usize) -> bool {
    step.checked_sub(1).is_some_and(|before| is_last_comparison(plan, before))
}

/// The last weight that leaves something to compare with is left on evidence only; where the ramp is found, so is the
/// last one at which both arms compare well.
pub(super) fn is_last_comparison(plan: &Plan, step: usize) -> bool {
    let next = percent_of(plan, step + 1).get();
    let is_weak = plan.ramp().is_some() && next > RETREAT_PERCENT;
    step + 1 >= plan.steps().len() || next >= 100.0 || is_weak
}

fn allowed(ramp: &Ramp, traffic: f64, now: f64, found: &Findings) -> f64 {
    let failures = ramp.failures_per_look;
    let mut percent = at_risk(failures, traffic, found.harm_upper);
    if let Some(latency) = found.latency {
        percent = percent.min(at_risk(SLOW_PER_FAILURE * failures, traffic, latency.body_upper));
    }
    let first = at_risk(failures, traffic, 1.0).min(ramp.first_percent.get());
    percent = percent.min((GROWTH_MAX * now).max(first));
    if found.log_e_worse >= SUSPECT {
        percent = percent.min(SUSPECT_PERCENT);
    }
    if found.harm_upper > BROKEN { percent.min(ramp.first_percent.get()) } else { percent }
}

/// The weight, in percent, at which `failures` more are expected among `traffic` requests if the canary's rate is higher
/// by `harm`.
fn at_risk(failures: f64, traffic: f64, harm: f64) -> f64 {
    if traffic * harm > 0.0 { (100.0 * failures / (traffic * harm)).min(100.0) } else { 100.0 }
}

/// Six decimals, which every JSON reader gives back the same.
fn rounded(percent: f64) -> Percent {
    let percent = (percent.clamp(LEAST_PERCENT, 100.0) * 1e6).floor() / 1e6;
    Percent::new(percent).unwrap_or_default()
}
