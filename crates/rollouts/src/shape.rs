//! What callers get to see: rollouts as the model describes them. Times are epoch seconds with milliseconds as their
//! fraction; numbers that have no end are cut at one thousand millions.

mod evidence;
mod guardrails;
mod hook;
mod judged;
mod notification;
mod order;
mod probe;
mod record;
mod target;
mod usage;

use pitbird_prices::PriceList;
use pitbird_records::rollout::{Change, Shift as ShiftRecord};
use pitbird_rollout::notice;
pub use pitbird_rollout::notice::phase;
use pitbird_rollout::{Decision as DecisionRecord, Outcome, Phase, RampStep, Rules as RulesRecord};
use serde::{Deserialize, Serialize};

pub use evidence::Evidence;
pub use guardrails::{GuardrailEvidence, Guardrails, WhenBlind};
pub use hook::{Hook, Question};
pub use judged::{Latency, Ramp};
pub use notification::Notification;
pub use order::Order;
pub use probe::Probes;
pub use record::Record;
pub use target::{Canary, LambdaAlias, Target, base, canary};
pub use usage::CanaryUsage;

use crate::target::{
    extra,
    start::{Extra, Tags},
};
use crate::turn::step_index;

/// The answer of an operation on one rollout.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    rollout: Rollout,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rollout {
    name: String,
    target: Target,
    canary: Canary,
    base: Canary,
    steps: Vec<Step>,
    alarms: Vec<String>,
    rules: Rules,
    ramp: Option<Ramp>,
    latency: Option<Latency>,
    routes: Vec<String>,
    guardrails: Option<Guardrails>,
    deviations: Vec<String>,
    status: &'static str,
    status_reason: String,
    exit_code: Option<u8>,
    phase: &'static str,
    step_index: Option<usize>,
    percent: f64,
    generation: u64,
    started_at: f64,
    phase_started_at: f64,
    wait_until: Option<f64>,
    gate_until: Option<f64>,
    deadline_at: f64,
    looked_at: f64,
    ended_at: Option<f64>,
    evidence: Evidence,
    decisions: Vec<Decision>,
    shifts: Vec<Shift>,
    orders: Vec<Order>,
    pre_warm: Option<PreWarm>,
    force: Option<String>,
    sticky: Option<String>,
    mirror: Option<f64>,
    probes: Option<Probes>,
    hooks: Vec<Hook>,
    questions: Vec<Question>,
    notifications: Vec<Notification>,
    canary_usage: CanaryUsage,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    record_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<Vec<Record>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Step {
    pub percent: f64,
    pub wait_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<bool>,
}

/// Environments of the canary that are to be ready before its first request.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PreWarm {
    pub environments: u32,
}

/// Rules as callers give them, all optional, and as they are shown, all there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Rules {
    pub alpha_rollback: Option<f64>,
    pub alpha_promote: Option<f64>,
    pub margin: Option<f64>,
    pub budget: Option<f64>,
    pub canary_requests_min: Option<u64>,
    pub max_duration_ms: Option<u64>,
    pub deadline_ms: Option<u64>,
    pub interval_ms: Option<u64>,
    pub gate_timeout_ms: Option<u64>,
    pub when_blind: Option<WhenBlind>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Decision {
    at: f64,
    from_percent: f64,
    to_percent: f64,
    generation: u64,
    reason: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shift {
    generation: u64,
    change: &'static str,
    percent: f64,
    decided_at: f64,
    live_at: Option<f64>,
    took_ms: Option<u64>,
}

impl Answer {
    pub fn new(rollout: &crate::Rollout, prices: &PriceList) -> Answer {
        Answer { rollout: Rollout::new(rollout, prices) }
    }

    /// With records, and the plan as the planner reads it if it is asked for.
    pub fn with_records(mut self, records: Vec<Record>, plan: Option<String>) -> Answer {
        self.rollout.records = Some(records);
        self.rollout.plan = plan;
        self
    }
}

impl Rollout {
    pub fn new(rollout: &crate::Rollout, prices: &PriceList) -> Rollout {
        let (plan, state) = (&rollout.plan, &rollout.state);
        let rules = plan.rules();
        let Extra { pre_warm, tags: Tags { force, sticky, mirror } } = extra::shown(&rollout.target);
        let wait_until = match (state.phase(), step_index(plan, state)) {
            (Phase::Watching { .. }, Some(step)) => Some(rollout.phase_began_ms + plan.steps()[step].wait_ms),
            _ => None,
        };
        Rollout {
            name: rollout.name.clone(),
            target: (&rollout.target).into(),
            canary: canary(&rollout.target),
            base: base(&rollout.target),
            steps: plan.steps().iter().map(Step::from).collect(),
            alarms: rules.alarms.clone(),
            rules: rules.into(),
            ramp: plan.ramp().map(Ramp::from),
            latency: plan.judged().latency.as_ref().map(Latency::from),
            routes: plan.judged().routes.clone(),
            guardrails: Guardrails::shown(plan.guardrails()),
            deviations: plan.deviations().into_iter().chain(extra::kept(rollout)).collect(),
            status: status(rollout),
            status_reason: rollout.reason.clone(),
            exit_code: state.outcome().map(Outcome::exit_code),
            phase: phase(state.phase()),
            step_index: step_index(plan, state),
            percent: state.weight().get(),
            generation: state.generation(),
            started_at: seconds(rollout.started_ms),
            phase_started_at: seconds(rollout.phase_began_ms),
            wait_until: wait_until.map(seconds),
            gate_until: state.gate_until_ms(plan).map(seconds),
            deadline_at: seconds(rollout.started_ms.saturating_add(rules.max_duration_ms)),
            looked_at: seconds(state.now_ms()),
            ended_at: rollout.ended_ms.map(seconds),
            evidence: Evidence::new(rollout),
            decisions: state.decisions().map(Decision::from).collect(),
            shifts: rollout.shifts.iter().map(Shift::from).collect(),
            orders: rollout.orders.iter().map(Order::from).collect(),
            pre_warm: pre_warm.map(|environments| PreWarm { environments }),
            force,
            sticky,
            mirror: mirror.and_then(|mirror| mirror.parse().ok()),
            probes: rollout.probes.as_ref().map(Probes::from),
            hooks: Hook::shown(rollout),
            questions: Question::all(rollout),
            notifications: rollout.notifications.iter().map(Notification::from).collect(),
            canary_usage: CanaryUsage::new(rollout.canary_use, rollout.started_ms, prices),
            plan: None,
            record_count: rollout.entries,
            records: None,
        }
    }
}

/// One word for how a rollout stands.
pub fn status(rollout: &crate::Rollout) -> &'static str {
    notice::status(&rollout.plan, &rollout.state)
}

impl From<&RampStep> for Step {
    fn from(step: &RampStep) -> Step {
        Step { percent: step.percent.get(), wait_ms: Some(step.wait_ms), gate: step.gate.then_some(true) }
    }
}

impl From<&RulesRecord> for Rules {
    fn from(rules: &RulesRecord) -> Rules {
        Rules {
            alpha_rollback: Some(rules.alpha_rollback),
            alpha_promote: Some(rules.alpha_promote),
            margin: Some(rules.margin),
            budget: Some(rules.budget),
            canary_requests_min: Some(rules.canary_requests_min),
            max_duration_ms: Some(rules.max_duration_ms),
            deadline_ms: Some(rules.deadline_ms),
            interval_ms: Some(rules.interval_ms),
            gate_timeout_ms: Some(rules.gate_timeout_ms),
            when_blind: Some(rules.when_blind.into()),
        }
    }
}

impl From<&DecisionRecord> for Decision {
    fn from(decision: &DecisionRecord) -> Decision {
        Decision {
            at: seconds(decision.at_ms),
            from_percent: decision.weight_old.get(),
            to_percent: decision.weight_new.get(),
            generation: decision.generation,
            reason: decision.reason.to_string(),
        }
    }
}

impl From<&ShiftRecord> for Shift {
    fn from(shift: &ShiftRecord) -> Shift {
        Shift {
            generation: shift.generation,
            change: match shift.change {
                Change::Shift => "Shift",
                Change::Promote => "Promote",
                Change::RollBack => "RollBack",
            },
            percent: shift.percent.get(),
            decided_at: seconds(shift.decided_ms),
            live_at: shift.live_ms.map(seconds),
            took_ms: shift.live_ms.map(|live_ms| live_ms.saturating_sub(shift.decided_ms)),
        }
    }
}

fn seconds(epoch_ms: u64) -> f64 {
    epoch_ms as f64 / 1e3
}
