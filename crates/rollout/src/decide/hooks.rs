//! Hooks: who is asked whether it may go on, one after the other, and what their answers lead to.

use std::collections::VecDeque;

use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use crate::plan::{Hook, HookPoint};
use crate::state::percent_of;
use crate::{Because, Evidence, Note, Phase, Plan, Reason, State};

/// Questions that a state remembers; older ones are in the records only.
pub const QUESTIONS_MAX: usize = 64;

/// The questions of a rollout.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Hooks {
    /// The one that waits for its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Question>,
    /// Hooks that let it go on from where it is, by their numbers in the plan.
    passed: Vec<usize>,
    /// How many were asked.
    asked: u64,
    /// Those that were answered, or given up, oldest first.
    closed: VecDeque<Question>,
}

/// A hook was asked something. Of one question every call has the same number, so that whoever is asked can tell what it has been
/// asked before; after a crash a call may come twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// From 1, within the rollout.
    pub number: u64,
    /// Which of the plan's hooks, from 0.
    pub hook: usize,
    /// The weight that is to be given, or that is to be left; none where neither is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// The rollout's, when the question came up.
    pub generation: u64,
    pub began_ms: u64,
    /// The call that is to be answered, from 1, and when it is due.
    pub call: u32,
    pub due_ms: u64,
    /// Calls in a row that failed.
    pub failures: u32,
    /// What was answered last, and the words that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<HookWord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Note>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
}

/// What a hook says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookWord {
    Go,
    Stop,
    NotYet,
    /// Nothing that is one of these: it could not be asked, was silent, or said something else.
    Failed,
}

/// The answer to one call of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookAnswer {
    pub number: u64,
    pub call: u32,
    pub word: HookWord,
    #[serde(default)]
    pub words: Note,
}

impl Hooks {
    pub fn is_unused(&self) -> bool {
        *self == Hooks::default()
    }

    /// It goes on, or back: nothing that was asked counts any more.
    pub fn leave(&mut self, now_ms: u64) {
        self.passed.clear();
        self.close(now_ms);
    }

    fn close(&mut self, now_ms: u64) {
        let Some(mut open) = self.open.take() else { return };
        open.ended_ms = Some(now_ms);
        self.closed.push_back(open);
        while self.closed.len() > QUESTIONS_MAX {
            self.closed.pop_front();
        }
    }
}

impl State {
    /// The question that is to be asked, and goes on being asked until it has its answer. Like the step it depends on plan and state
    /// alone: an executor that comes back to life asks it again.
    pub fn question(&self) -> Option<&Question> {
        self.hooks.open.as_ref()
    }

    /// All that was asked, oldest first, the open one last; at most [`QUESTIONS_MAX`] and one.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.hooks.closed.iter().chain(&self.hooks.open)
    }

    /// Has it ended, and been told to everybody who is asked afterwards?
    pub fn is_over(&self, plan: &Plan) -> bool {
        self.outcome().is_some() && self.next_hook(plan).is_none()
    }

    /// Takes in what was answered. Why it is to go back, if it is.
    pub(super) fn hear(&mut self, plan: &Plan, evidence: &Evidence) -> Option<Because> {
        let now_ms = self.now_ms;
        let open = self.hooks.open.as_mut()?;
        let hook = plan.hooks().get(open.hook)?;
        let name = || Note::from(hook.name.as_str());
        let is_meant = |answer: &&HookAnswer| (answer.number, answer.call) == (open.number, open.call);
        let mut because = None;
        if let Some(answer) = evidence.hooks.iter().find(is_meant) {
            let HookAnswer { word, words, .. } = answer.clone();
            open.failures = if word == HookWord::Failed { open.failures + 1 } else { 0 };
            (open.word, open.words) = (Some(word), Some(words.clone()));
            match word {
                HookWord::Go => {
                    self.hooks.passed.push(open.hook);
                    self.hooks.close(now_ms);
                    return None;
                }
                HookWord::Stop => because = Some(Because::HookStopped { hook: name(), words }),
                HookWord::Failed if open.failures >= hook.patience.attempts => {
                    because = Some(Because::HookFailed { hook: name(), words });
                }
                HookWord::NotYet | HookWord::Failed => {
                    open.call += 1;
                    open.due_ms = now_ms.saturating_add(hook.patience.interval_ms);
                }
            }
        }
        let wait_ms = hook.patience.wait_ms;
        if because.is_none() && now_ms >= open.began_ms.saturating_add(wait_ms) {
            because = Some(Because::HookSilent { hook: name(), wait_ms });
        }
        if because.is_some() {
            self.hooks.passed.push(open.hook);
            self.hooks.close(now_ms);
        }
        because
    }

    /// Everything else allows to go on; asks the next hook whether it may.
    pub(super) fn at_hook(&mut self, plan: &Plan) -> Option<Reason> {
        let next = self.next_hook(plan)?;
        self.ask(plan, next);
        let name = plan.hooks().get(next).map_or("", |hook| hook.name.as_str());
        Some(Reason::Asking {
            hook: Note::from(name),
            words: self.question().and_then(|open| open.words.clone()),
        })
    }

    /// After the end: the next is asked. False where nothing changed.
    pub(super) fn farewell(&mut self, plan: &Plan, evidence: &Evidence) -> bool {
        let before = self.hooks.clone();
        // Whatever it is, nothing is left to be changed.
        let _ = self.hear(plan, evidence);
        if let Some(next) = self.next_hook(plan) {
            self.ask(plan, next);
        }
        self.hooks != before
    }

    fn ask(&mut self, plan: &Plan, hook: usize) {
        if self.hooks.open.is_some() {
            return;
        }
        self.hooks.asked += 1;
        self.hooks.open = Some(Question {
            number: self.hooks.asked,
            hook,
            percent: plan.hooks().get(hook).and_then(|hook| self.percent_at(plan, hook.point)),
            generation: self.generation,
            began_ms: self.now_ms,
            call: 1,
            due_ms: self.now_ms,
            failures: 0,
            word: None,
            words: None,
            ended_ms: None,
        });
    }

    /// The first hook on the way from here that hasn't let it go on.
    fn next_hook(&self, plan: &Plan) -> Option<usize> {
        let points: &[HookPoint] = match self.phase {
            Phase::Pending => &[HookPoint::BeforeRollout, HookPoint::BeforeStep],
            Phase::Watching { step } if step + 1 < plan.steps().len() => {
                &[HookPoint::AfterStep, HookPoint::BeforeStep]
            }
            Phase::Watching { .. } => &[HookPoint::AfterStep, HookPoint::BeforePromotion],
            Phase::Ended { .. } => &[HookPoint::AfterRollout],
            Phase::Shifting { .. } | Phase::Promoting | Phase::RollingBack { .. } => &[],
        };
        let at = |point: HookPoint| {
            let percent = self.percent_at(plan, point).unwrap_or_default();
            let is_due = move |(at, hook): &(usize, &Hook)| {
                hook.is_at(point, percent) && !self.hooks.passed.contains(at)
            };
            plan.hooks().iter().enumerate().find(is_due).map(|(at, _)| at)
        };
        points.iter().find_map(|point| at(*point))
    }

    /// The step's weight that a point is about.
    fn percent_at(&self, plan: &Plan, point: HookPoint) -> Option<Percent> {
        match (point, &self.phase) {
            (HookPoint::BeforeStep, Phase::Pending) => Some(percent_of(plan, 0)),
            (HookPoint::BeforeStep, Phase::Watching { step }) => Some(percent_of(plan, step + 1)),
            (HookPoint::AfterStep, Phase::Watching { step }) => Some(percent_of(plan, *step)),
            _ => None,
        }
    }
}
