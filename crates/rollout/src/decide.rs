//! The decisions, in the order in which they are taken.

mod block;
mod guardrails;
mod hooks;
mod look;
mod ramp;
mod retreat;
mod transition;

pub use block::BLOCK_MS_MAX;
pub(crate) use block::Block;
pub use guardrails::GuardrailFindings;
pub(crate) use guardrails::Watched;
pub(crate) use hooks::Hooks;
pub use hooks::{HookAnswer, HookWord, QUESTIONS_MAX, Question};
pub use ramp::MOVES_MAX;
pub(crate) use ramp::is_proven;
pub(crate) use retreat::RETREAT_PERCENT;
pub use retreat::RETURNS_MAX;

use std::collections::VecDeque;

use pitbird_analysis::{Arm, ErrorJudge, Findings, LatencyJudge, PairJudge, RouteJudge};
use pitbird_names::Percent;

use crate::course::Course;
use crate::{
    Command, Decision, Evidence, HISTORY_MAX, Input, Note, Numbers, Phase, Plan, Reason, Record, State, Step,
};

/// A canary that wasn't heard of this long, and for this many of its usual gaps, is silent, ms.
const SILENT_MS: u64 = 60_000;
const SILENT_GAPS: u64 = 20;

/// What came of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub state: State,
    pub step: Step,
    /// None where the input changed nothing: late, repeated or after the end.
    pub record: Option<Record>,
}

/// Begins a rollout. `history` is what the base did before it, if that is known.
pub fn begin(plan: &Plan, history: Arm, now_ms: u64) -> Turn {
    let state = State {
        plan: plan.fingerprint(),
        phase: Phase::Pending,
        paused: false,
        generation: 0,
        weight: Percent::default(),
        began_ms: now_ms,
        phase_began_ms: now_ms,
        now_ms,
        history_of_base: history,
        judge: match plan.judged().users {
            true => ErrorJudge::of_users(history, plan.rules().margin),
            false => ErrorJudge::new(history, plan.rules().margin),
        },
        latency: plan.judged().latency.as_ref().map(|latency| LatencyJudge::new(latency.margins())),
        routes: match plan.judged().users {
            true => RouteJudge::of_users(plan.judged().routes.len()),
            false => RouteJudge::new(plan.judged().routes.len()),
        },
        pairs: plan.judged().pairs.then(|| PairJudge::new(plan.rules().margin)),
        guardrails: guardrails::begin(plan),
        guard: None,
        restart_ms: now_ms,
        step_requests: 0,
        failing_environments: None,
        failing_clients: None,
        block: None,
        course: Course::default(),
        hooks: Hooks::default(),
        command: 0,
        decisions: VecDeque::new(),
    };
    let before = state.clone();
    let found = state.findings(plan);
    let effect = Effect { reason: Reason::Began, commands_ignored: Vec::new() };
    turn(plan, &before, state, Input::Begin { history }, effect, &found)
}

/// Looks at what was seen since the last look, at new commands (in order of their numbers) and at the time.
pub fn next(plan: &Plan, state: &State, evidence: &Evidence, commands: &[Command], now_ms: u64) -> Turn {
    let input = Input::Look { evidence: Box::new(evidence.clone()), commands: commands.to_vec() };
    advance(plan, state, now_ms, input)
}

/// The target has done the step of this generation. Repeating it, or telling of a superseded step, changes nothing.
pub fn applied(plan: &Plan, state: &State, generation: u64, now_ms: u64) -> Turn {
    advance(plan, state, now_ms, Input::Applied { generation })
}

/// The target will never do the step of this generation.
pub fn refused(plan: &Plan, state: &State, generation: u64, message: Note, now_ms: u64) -> Turn {
    advance(plan, state, now_ms, Input::Refused { generation, message })
}

pub(crate) fn advance(plan: &Plan, before: &State, now_ms: u64, input: Input) -> Turn {
    let mut state = before.clone();
    // A clock that is set back must not undo what has passed.
    state.now_ms = state.now_ms.max(now_ms);
    let stale = |generation: u64| generation != before.generation;
    let ignored = match &input {
        Input::Look { evidence, .. } if before.outcome().is_some() => !state.farewell(plan, evidence),
        _ if before.outcome().is_some() => true,
        Input::Begin { .. } => true,
        Input::Applied { generation } | Input::Refused { generation, .. } => {
            stale(*generation) || !before.is_moving()
        }
        Input::Look { .. } => false,
    };
    if ignored {
        return Turn { step: before.step(plan), state: before.clone(), record: None };
    }
    if let Some(reason) = state.ending() {
        let found = state.findings(plan);
        return turn(plan, before, state, input, reason.into(), &found);
    }
    if let Input::Look { evidence, .. } = &input {
        state.observe(plan, evidence);
    }
    let found = state.findings(plan);
    let effect = match &input {
        Input::Look { evidence, commands } => state.look(plan, evidence, commands, &found),
        Input::Applied { .. } => state.applied(plan).into(),
        Input::Refused { message, .. } => state.refused(message.clone()).into(),
        Input::Begin { .. } => Reason::Began.into(),
    };
    turn(plan, before, state, input, effect, &found)
}

struct Effect {
    reason: Reason,
    commands_ignored: Vec<u64>,
}

impl From<Reason> for Effect {
    fn from(reason: Reason) -> Effect {
        Effect { reason, commands_ignored: Vec::new() }
    }
}

fn turn(
    plan: &Plan,
    before: &State,
    mut state: State,
    input: Input,
    effect: Effect,
    found: &Findings,
) -> Turn {
    let (weight_old, weight_new) = (before.heading(plan), state.heading(plan));
    let changed = state.phase != before.phase || state.paused != before.paused || state.decisions.is_empty();
    if changed {
        state.decisions.push_back(Decision {
            at_ms: state.now_ms,
            weight_old,
            weight_new,
            generation: state.generation,
            reason: effect.reason.clone(),
        });
        while state.decisions.len() > HISTORY_MAX {
            state.decisions.pop_front();
        }
    }
    let record = Record {
        at_ms: state.now_ms,
        plan: state.plan.clone(),
        numbers: Numbers::new(plan, &input, &state, found),
        input,
        weight_old,
        weight_new,
        phase: state.phase.clone(),
        paused: state.paused,
        generation: state.generation,
        reason: effect.reason,
        commands_ignored: effect.commands_ignored,
    };
    Turn { step: state.step(plan), state, record: Some(record) }
}
