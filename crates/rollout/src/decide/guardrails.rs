//! Limits that hold whatever the base does.

use pitbird_analysis::{Arm, Bucket, Ceiling, threshold};
use serde::{Deserialize, Serialize};

use crate::plan::Guardrail;
use crate::record::shown;
use crate::{Because, Evidence, Note, Plan, Reason, State};

/// A guardrail's test, and what both arms did; the base's part convicts nobody, it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watched {
    pub test: Ceiling,
    pub base: Arm,
}

/// How a guardrail stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardrailFindings {
    pub guardrail: Guardrail,
    /// Evidence that the canary exceeds it, and what that must reach; natural logarithms.
    pub log_e: f64,
    pub threshold: f64,
    /// Requests that count for it, and the events among them: errors, or requests slower than the limit.
    pub canary: Arm,
    pub base: Arm,
}

impl GuardrailFindings {
    pub fn is_broken(&self) -> bool {
        self.log_e >= self.threshold
    }
}

/// The tests at the beginning of a plan.
pub(super) fn begin(plan: &Plan) -> Vec<Watched> {
    let watched = |guardrail: Guardrail| {
        let test = Ceiling::new(guardrail.limit()).expect("a plan's limits can be watched");
        Watched { test, base: Arm::default() }
    };
    plan.guardrails().all().into_iter().map(watched).collect()
}

impl State {
    /// How the plan's guardrails stand, in their order.
    pub fn guardrails(&self, plan: &Plan) -> Vec<GuardrailFindings> {
        let all = plan.guardrails().all();
        // Together they may be wrong once in as many rollouts as one alone.
        let threshold = threshold(plan.rules().alpha_rollback / all.len().max(1) as f64);
        let found = |(guardrail, watched): (Guardrail, &Watched)| GuardrailFindings {
            guardrail,
            log_e: watched.test.log_e(),
            threshold,
            canary: watched.test.seen(),
            base: watched.base,
        };
        all.into_iter().zip(&self.guardrails).map(found).collect()
    }

    /// Shows the guardrails what a look saw.
    pub(super) fn watch_guardrails(&mut self, plan: &Plan, evidence: &Evidence) {
        let is_warm = self.is_warm(plan);
        let mut ceilings = 0..;
        for (guardrail, watched) in plan.guardrails().all().into_iter().zip(&mut self.guardrails) {
            let none = Bucket::default();
            let seen = match guardrail {
                Guardrail::ErrorRate(_) => {
                    evidence.buckets.iter().fold(none, |sum, seen| sum.plus(seen.bucket))
                }
                Guardrail::Latency(_) => {
                    let ceiling = ceilings.next();
                    let of = evidence.ceilings.iter().filter(|seen| is_warm && Some(seen.ceiling) == ceiling);
                    of.fold(none, |sum, seen| sum.plus(seen.bucket))
                }
            };
            watched.test.update(seen.canary);
            watched.base = watched.base.plus(seen.base);
        }
    }

    /// The guardrail that the canary has broken, if it has one.
    pub(super) fn broken(&self, plan: &Plan) -> Option<Because> {
        let is_few = self.few_sources();
        let counts = |guardrail: Guardrail| !(is_few && matches!(guardrail, Guardrail::ErrorRate(_)));
        let broken =
            self.guardrails(plan).into_iter().find(|found| found.is_broken() && counts(found.guardrail))?;
        Some(Because::Guardrail {
            guardrail: Note::from(broken.guardrail.to_string()),
            log_e: shown(broken.log_e),
            threshold: shown(broken.threshold),
            canary: broken.canary,
            base: broken.base,
        })
    }

    /// Is there one that is broken by errors that all come from one place?
    pub(super) fn is_broken_by_few(&self, plan: &Plan) -> bool {
        self.few_sources() && self.guardrails(plan).iter().any(GuardrailFindings::is_broken)
    }

    /// A guardrail that has seen too little to be believed: nobody measures, or everything was cold.
    pub(super) fn unseen(&self, plan: &Plan) -> Option<Reason> {
        let needed = plan.rules().canary_requests_min;
        let unseen = self.guardrails(plan).into_iter().find(|found| found.canary.requests() < needed)?;
        let guardrail = Note::from(unseen.guardrail.to_string());
        Some(Reason::GuardrailUnseen { guardrail, seen: unseen.canary.requests(), needed })
    }
}
