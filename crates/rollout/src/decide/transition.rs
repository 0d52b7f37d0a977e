//! From one phase to the next, and the generations that guard the way.

use crate::state::percent_of;
use crate::{Because, Note, Outcome, Phase, Plan, Reason, State};

/// A late regression is watched for anew this often at most, ms.
pub(super) const RESTART_MS: u64 = 60_000;

impl State {
    pub(super) fn shift(&mut self, plan: &Plan, step: usize) -> Reason {
        self.change(Phase::Shifting { step });
        Reason::Shifting { percent: percent_of(plan, step) }
    }

    pub(super) fn promote(&mut self, reason: Reason) -> Reason {
        self.change(Phase::Promoting);
        reason
    }

    /// Where nothing was ever shifted there is nothing to take back.
    pub(super) fn roll_back(&mut self, because: Because) -> Reason {
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
                if step == 0 {
                    self.restart_ms = self.now_ms.saturating_add(RESTART_MS);
                }
                self.step_requests = 0;
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
