//! From one phase to the next, and the generations that guard the way.

use crate::{Because, Note, Outcome, Phase, Plan, Reason, State};

/// A late regression is watched for anew this often at most, ms.
pub(super) const RESTART_MS: u64 = 60_000;

impl State {
    /// Enters a step, or comes back to it from a retreat.
    pub(super) fn shift(&mut self, plan: &Plan, step: usize) -> Reason {
        if self.generation == 0 {
            self.course.percent = self.first_percent(plan);
        }
        (self.course.step_ms, self.course.retreat_ms) = (None, None);
        (self.course.gate_ms, self.course.is_gate_open) = (None, false);
        self.hooks.leave(self.now_ms);
        self.move_to(plan, step)
    }

    /// Gives the target the weight that the step has now.
    pub(super) fn move_to(&mut self, plan: &Plan, step: usize) -> Reason {
        self.change(Phase::Shifting { step });
        Reason::Shifting { percent: self.goal(plan, step) }
    }

    pub(super) fn promote(&mut self, reason: Reason) -> Reason {
        self.hooks.leave(self.now_ms);
        self.change(Phase::Promoting);
        reason
    }

    /// Where nothing was ever shifted there is nothing to take back.
    pub(super) fn roll_back(&mut self, because: Because) -> Reason {
        self.hooks.leave(self.now_ms);
        if self.generation == 0 {
            return self.end(because.outcome(), Some(because));
        }
        self.change(Phase::RollingBack { because: because.clone() });
        Reason::RollingBack { because }
    }

    pub(super) fn applied(&mut self, plan: &Plan) -> Reason {
        self.weight = self.heading(plan);
        match self.phase.clone() {
            Phase::Shifting { step } => {
                if self.course.first_ms.is_none() {
                    self.course.first_ms = Some(self.now_ms);
                    self.restart_ms = self.now_ms.saturating_add(RESTART_MS);
                }
                if self.course.step_ms.is_none() {
                    self.course.step_ms = Some(self.now_ms);
                    self.step_requests = 0;
                }
                // Whether it is silent shows from now on.
                self.course.canary_ms = Some(self.now_ms);
                self.enter(Phase::Watching { step });
                Reason::Watching { percent: self.weight }
            }
            Phase::RollingBack { because } => self.end(because.outcome(), Some(because)),
            _ => self.end(Outcome::Promoted, None),
        }
    }

    pub(super) fn refused(&mut self, message: Note) -> Reason {
        let because = Because::Refused { message };
        match self.phase {
            Phase::RollingBack { .. } => self.end(Outcome::Failed, Some(because)),
            _ => self.roll_back(because),
        }
    }

    fn end(&mut self, outcome: Outcome, because: Option<Because>) -> Reason {
        self.enter(Phase::Ended { outcome, because: because.clone() });
        Reason::Ended { outcome, because }
    }

    /// How it has ended, if it has.
    pub(super) fn ending(&self) -> Option<Reason> {
        match &self.phase {
            Phase::Ended { outcome, because } => {
                Some(Reason::Ended { outcome: *outcome, because: because.clone() })
            }
            _ => None,
        }
    }

    /// Enters a phase that changes the target.
    fn change(&mut self, phase: Phase) {
        self.generation += 1;
        self.enter(phase);
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.phase_began_ms = self.now_ms;
    }

    pub(super) fn is_moving(&self) -> bool {
        matches!(self.phase, Phase::Shifting { .. } | Phase::Promoting | Phase::RollingBack { .. })
    }
}
