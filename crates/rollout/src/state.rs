use std::collections::VecDeque;

use pitbird_analysis::{
    Arm, Bucket, Culprit, ErrorJudge, Findings, Firsts, Judgement, LatencyJudge, PairJudge, Pairs, Release,
    RouteJudge, SloGuard, Timed,
};
use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use crate::course::Course;
use crate::decide::{Block, Hooks, RETREAT_PERCENT, Watched, is_proven};
use crate::{Because, Decision, Outcome, Plan};

/// Decisions that a state remembers; older ones are in the records only.
pub const HISTORY_MAX: usize = 64;

/// What has become of a plan. Durable: it can be written down in any self-describing format and read back bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub(crate) plan: String,
    pub(crate) phase: Phase,
    pub(crate) paused: bool,
    /// Of the newest step that changes the target; 0 before the first.
    pub(crate) generation: u64,
    /// The canary's weight that the target last confirmed.
    pub(crate) weight: Percent,
    pub(crate) began_ms: u64,
    pub(crate) phase_began_ms: u64,
    /// The time of the newest input. Never falls.
    pub(crate) now_ms: u64,
    pub(crate) history_of_base: Arm,
    pub(crate) judge: ErrorJudge,
    /// Where the plan judges it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<LatencyJudge>,
    /// Where the plan names any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) routes: Option<RouteJudge>,
    /// Where the plan judges them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pairs: Option<PairJudge>,
    /// One for each of the plan's guardrails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) guardrails: Vec<Watched>,
    /// Watches the canary alone.
    pub(crate) guard: Option<SloGuard>,
    /// When the judge next begins to watch for a late regression.
    pub(crate) restart_ms: u64,
    /// Canary requests seen at the present weight, those of pairs too.
    pub(crate) step_requests: u64,
    pub(crate) failing_environments: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failing_clients: Option<u32>,
    #[serde(default)]
    pub(crate) course: Course,
    #[serde(default, skip_serializing_if = "Hooks::is_unused")]
    pub(crate) hooks: Hooks,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) block: Option<Block>,
    /// The number of the newest command.
    pub(crate) command: u64,
    pub(crate) decisions: VecDeque<Decision>,
}

/// Where a rollout stands. Pausing is apart from it: a rollout can be paused at any of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing has moved: pre-checks and alarms first.
    Pending,
    /// The target is being set to this step's weight; steps count from 0.
    Shifting { step: usize },
    /// The target has this step's weight; waiting and gathering evidence.
    Watching { step: usize },
    /// The canary is becoming the base.
    Promoting,
    /// The base is taking everything again.
    RollingBack { because: Because },
    Ended {
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
    },
}

/// What the executor is to do now. Only the three with a generation change the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Nothing before this time, epoch ms; then look again.
    WaitUntil { at_ms: u64 },
    /// Give the canary this share of the traffic.
    ShiftTo { percent: Percent, generation: u64 },
    /// Let the base, as it was before the rollout, take everything.
    RollBack { because: Because, generation: u64 },
    /// Make the canary the base.
    Promote { generation: u64 },
    /// Nothing ever again.
    Finished { outcome: Outcome },
}

impl State {
    /// What is to be done now. Depends on nothing but the plan and the state, so that an executor that has just come
    /// back to life does the same as the one that died.
    pub fn step(&self, plan: &Plan) -> Step {
        let generation = self.generation;
        match &self.phase {
            Phase::Pending => Step::WaitUntil { at_ms: self.next_look_ms(plan, u64::MAX) },
            Phase::Watching { step } => {
                Step::WaitUntil { at_ms: self.next_look_ms(plan, self.wait_over_ms(plan, *step)) }
            }
            Phase::Shifting { step } => Step::ShiftTo { percent: self.goal(plan, *step), generation },
            Phase::Promoting => Step::Promote { generation },
            Phase::RollingBack { because } => Step::RollBack { because: because.clone(), generation },
            Phase::Ended { outcome, .. } => Step::Finished { outcome: *outcome },
        }
    }

    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    pub fn outcome(&self) -> Option<Outcome> {
        match self.phase {
            Phase::Ended { outcome, .. } => Some(outcome),
            _ => None,
        }
    }

    /// The generation of the newest step that changes the target; 0 before the first.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The canary's weight that the target last confirmed.
    pub fn weight(&self) -> Percent {
        self.weight
    }

    pub fn began_ms(&self) -> u64 {
        self.began_ms
    }

    /// The time of the newest input.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// All that was seen during the rollout.
    pub fn seen(&self) -> Bucket {
        self.judge.seen()
    }

    /// Users who failed for the first time, by arm, where they are counted.
    pub fn firsts(&self) -> Option<Firsts> {
        self.judge.firsts()
    }

    /// The verdict so far, with its numbers.
    pub fn judgement(&self, plan: &Plan) -> Judgement {
        self.release(plan).judge(&plan.thresholds())
    }

    /// The same without the intervals that only reports need.
    pub(crate) fn findings(&self, plan: &Plan) -> Findings {
        self.release(plan).findings(&plan.thresholds())
    }

    /// What is worse on the canary, strongest evidence first; of those named an expected share of `alpha` at most is
    /// not. Routes count as in the plan.
    pub fn culprits(&self, plan: &Plan, alpha: f64) -> Vec<Culprit> {
        self.release(plan).culprits(alpha)
    }

    fn release(&self, plan: &Plan) -> Release<'_> {
        let margins = plan.judged().latency.as_ref().map(|latency| latency.margins());
        Release {
            errors: &self.judge,
            latency: self.latency.as_ref().zip(margins),
            routes: self.routes.as_ref(),
            pairs: self.pairs.as_ref(),
        }
    }

    /// All latencies seen during the rollout, where the plan judges them.
    pub fn timed(&self) -> Option<Timed> {
        self.latency.as_ref().map(LatencyJudge::seen)
    }

    /// All pairs seen during the rollout, where the plan judges them.
    pub fn pairs(&self) -> Option<Pairs> {
        self.pairs.as_ref().map(PairJudge::seen)
    }

    /// The newest decisions, oldest first, at most [`HISTORY_MAX`].
    pub fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter()
    }

    /// Was this state made by this plan?
    pub fn belongs_to(&self, plan: &Plan) -> bool {
        self.plan == plan.fingerprint()
    }

    /// The weight that the target has, or gets when the step under way is done.
    pub(crate) fn heading(&self, plan: &Plan) -> Percent {
        match self.phase {
            Phase::Shifting { step } => self.goal(plan, step),
            Phase::Promoting => Percent::new(100.0).expect("a percentage"),
            Phase::RollingBack { .. } => Percent::default(),
            Phase::Pending | Phase::Watching { .. } | Phase::Ended { .. } => self.weight,
        }
    }

    pub(crate) fn wait_over_ms(&self, plan: &Plan, step: usize) -> u64 {
        let wait_ms = plan.steps().get(step).map_or(0, |step| step.wait_ms);
        self.course.step_ms.unwrap_or(self.phase_began_ms).saturating_add(wait_ms)
    }

    /// The weight that a step is to have now.
    pub(crate) fn goal(&self, plan: &Plan, step: usize) -> Percent {
        let full = percent_of(plan, step);
        let limit = match self.course.retreat_ms {
            Some(_) => Percent::new(RETREAT_PERCENT).expect("a percentage"),
            None if plan.ramp().is_some() && !is_proven(plan, step) => self.course.percent,
            None => full,
        };
        if limit < full { limit } else { full }
    }

    /// Until when a person is waited for, epoch ms; `None` where no gate is in the way.
    pub fn gate_until_ms(&self, plan: &Plan) -> Option<u64> {
        let is_watching = matches!(self.phase, Phase::Watching { .. });
        let since_ms = self.course.gate_ms.filter(|_| is_watching && !self.course.is_gate_open)?;
        Some(since_ms.saturating_add(plan.rules().gate_timeout_ms))
    }

    pub(crate) fn out_of_time_ms(&self, plan: &Plan) -> u64 {
        self.began_ms.saturating_add(plan.rules().max_duration_ms)
    }

    fn next_look_ms(&self, plan: &Plan, wait_over_ms: u64) -> u64 {
        let regular = self.now_ms.saturating_add(plan.rules().interval_ms);
        let question_ms = self.question().map_or(u64::MAX, |question| question.due_ms);
        let marks = [wait_over_ms, self.out_of_time_ms(plan), question_ms];
        marks.into_iter().filter(|mark| *mark > self.now_ms).fold(regular, u64::min)
    }
}

/// The weight of a step; that of the last for one beyond.
pub(crate) fn percent_of(plan: &Plan, step: usize) -> Percent {
    let steps = plan.steps();
    steps.get(step).or(steps.last()).map_or(Percent::default(), |step| step.percent)
}
