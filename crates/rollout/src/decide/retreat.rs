//! The canary has most of the traffic and fails too often: cut to half, so that the base shows whose fault it is.

use pitbird_analysis::{Arm, Bucket, SloGuard, threshold};

use crate::record::shown;
use crate::state::percent_of;
use crate::{Because, Evidence, Phase, Plan, Reason, State};

/// Above this weight the comparison is weak and a guard watches the canary alone, percent.
pub(crate) const RETREAT_PERCENT: f64 = 50.0;
/// So long both arms are compared before the canary is trusted again, ms.
pub(super) const RETREAT_MS: u64 = 300_000;
/// Retreats that are returned from.
pub const RETURNS_MAX: u32 = 8;
/// How often the guard rings for nothing: once in so many looks at a canary within its budget are expected.
const FALSE_ALARM: f64 = 1.0e-5;
/// The largest budget that the guard can watch.
const BUDGET_MAX: f64 = 0.25;
/// Below this many requests of the base, nobody knows what five times its own rate is.
const BASE_REQUESTS_MIN: u64 = 1_000;
/// The base burns too when this many of its requests failed in the same look, and at least half as often.
const BASE_EVENTS_MIN: u64 = 2;

impl State {
    /// Shows the guard what the canary did.
    pub(super) fn watch_budget(&mut self, plan: &Plan, canary: Arm, percent: f64) {
        if self.guard.is_none() {
            let base = self.history_of_base.plus(self.judge.seen().base);
            if base.requests() < BASE_REQUESTS_MIN && percent <= RETREAT_PERCENT {
                return;
            }
            let five_times_base = 5.0 * (base.events() as f64 + 1.0) / (base.requests() as f64 + 1.0);
            let budget = plan.rules().budget.max(five_times_base).min(BUDGET_MAX);
            self.guard = SloGuard::detector(budget);
        }
        if let Some(guard) = &mut self.guard {
            guard.restart();
            guard.update(canary);
        }
    }

    /// When the guard rings, the comparison begins anew, and it begins with two halves. An outage of both arms is no
    /// fault of the canary's.
    pub(super) fn guarded(&mut self, plan: &Plan, evidence: &Evidence) -> Option<Reason> {
        let guard = self.guard.as_ref()?;
        let (budget, log_e) = (shown(guard.budget()), guard.log_e());
        let needed = threshold(FALSE_ALARM);
        if log_e < needed {
            return None;
        }
        self.guard = None;
        if let Some(base) = burning(evidence) {
            return Some(Reason::BothFail { base });
        }
        self.begin_again();
        let step = match self.phase {
            // The base is about to go.
            Phase::Promoting => {
                let (log_e, threshold) = (shown(log_e), shown(needed));
                return Some(self.roll_back(Because::OverBudget { budget, log_e, threshold }));
            }
            Phase::Shifting { step } | Phase::Watching { step } => step,
            Phase::Pending | Phase::RollingBack { .. } | Phase::Ended { .. } => return None,
        };
        if self.course.retreat_ms.is_some() || percent_of(plan, step).get() <= RETREAT_PERCENT {
            return None;
        }
        if self.heading(plan).get() <= RETREAT_PERCENT {
            return None;
        }
        self.course.retreat_ms = Some(self.now_ms);
        self.course.retreats += 1;
        self.move_to(plan, step);
        Some(Reason::Retreating { budget, log_e: shown(log_e) })
    }

    /// Both arms were compared long enough, and nothing speaks against the canary.
    pub(super) fn is_retreat_over(&self) -> bool {
        self.course.retreats <= RETURNS_MAX
            && self
                .course
                .retreat_ms
                .is_some_and(|since_ms| self.now_ms >= since_ms.saturating_add(RETREAT_MS))
    }
}

/// The base, where it fails much like the canary.
fn burning(evidence: &Evidence) -> Option<Arm> {
    let Bucket { canary, base } =
        evidence.buckets.iter().fold(Bucket::default(), |sum, seen| sum.plus(seen.bucket));
    let is_alike = base.rate()? >= 0.5 * canary.rate()?;
    (is_alike && base.events() >= BASE_EVENTS_MIN).then_some(base)
}
