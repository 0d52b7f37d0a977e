//! A look: evidence, orders and time, and what they allow.

use pitbird_analysis::judge::SPLIT_ALPHA;
use pitbird_analysis::{Arm, Judgement, SloGuard, Verdict, threshold};

use super::Effect;
use super::transition::RESTART_MS;
use crate::record::shown;
use crate::state::percent_of;
use crate::{Action, AlarmState, Because, Command, Evidence, Note, Phase, Plan, Reason, State};

/// Below this many errors a rollback wants to see them in two environments.
const FEW_EVENTS: u64 = 5;
/// The largest budget that the guard can watch.
const BUDGET_MAX: f64 = 0.25;

impl State {
    /// Takes the evidence in, before anything is decided on it.
    pub(super) fn observe(&mut self, plan: &Plan, evidence: &Evidence) {
        if self.weight.get() > 0.0 && self.now_ms >= self.restart_ms {
            self.judge.restart();
            self.restart_ms = self.now_ms.saturating_add(RESTART_MS);
        }
        for seen in &evidence.buckets {
            if seen.percent.get() >= 100.0 {
                self.watch_budget(plan, seen.bucket.canary);
            }
            if seen.percent == self.weight {
                self.step_requests = self.step_requests.saturating_add(seen.bucket.canary.requests());
            }
            self.judge.observe(seen.bucket, seen.percent.get() / 100.0);
        }
        self.failing_environments = evidence.failing_environments.or(self.failing_environments);
    }

    fn watch_budget(&mut self, plan: &Plan, canary: Arm) {
        if self.guard.is_none() {
            let base = self.history_of_base.plus(self.judge.seen().base);
            let five_times_base = 5.0 * (base.events() as f64 + 1.0) / (base.requests() as f64 + 1.0);
            let budget = plan.rules().budget.max(five_times_base).min(BUDGET_MAX);
            self.guard = SloGuard::new(budget);
        }
        if let Some(guard) = &mut self.guard {
            guard.update(canary);
        }
    }

    /// Rollback first, promotion last.
    pub(super) fn look(
        &mut self,
        plan: &Plan,
        evidence: &Evidence,
        commands: &[Command],
        judgement: &Judgement,
    ) -> Effect {
        let (phase, was_paused) = (self.phase.clone(), self.paused);
        let orders = self.take_orders(commands);
        let reason = match orders.abort {
            _ if matches!(self.phase, Phase::RollingBack { .. }) => self.rolling_back(plan),
            Some(by) => self.roll_back(Because::Aborted { by }),
            None => match self.veto(plan, evidence, judgement) {
                Some(because) => self.roll_back(because),
                None => match orders.promote {
                    Some((by, reason)) => {
                        self.paused = false;
                        self.promote(Reason::Ordered { by, reason })
                    }
                    None => self.progress(plan, evidence, judgement),
                },
            },
        };
        let reason = match (was_paused, self.paused) {
            _ if self.phase != phase => reason,
            (false, true) => Reason::Paused,
            (true, false) => Reason::Resumed,
            _ => reason,
        };
        Effect { reason, commands_ignored: orders.ignored }
    }

    fn take_orders(&mut self, commands: &[Command]) -> Orders {
        let mut orders = Orders::default();
        let rolling_back = matches!(self.phase, Phase::RollingBack { .. });
        let shifted = matches!(self.phase, Phase::Shifting { .. } | Phase::Watching { .. });
        for command in commands {
            let late = command.number <= self.command || rolling_back;
            self.command = self.command.max(command.number);
            match &command.action {
                _ if late => orders.ignored.push(command.number),
                Action::Pause => self.paused = true,
                Action::Resume => self.paused = false,
                Action::Abort => orders.abort = Some(command.by.clone()),
                Action::Promote { reason } if shifted => {
                    orders.promote = Some((command.by.clone(), reason.clone()));
                }
                Action::Promote { .. } => orders.ignored.push(command.number),
            }
        }
        orders
    }

    /// What forbids going on, in any phase.
    fn veto(&self, plan: &Plan, evidence: &Evidence, judgement: &Judgement) -> Option<Because> {
        let alarm = ringing(plan, evidence).filter(|_| self.phase != Phase::Pending);
        if let Some(name) = alarm {
            return Some(Because::Alarm { name: name.clone() });
        }
        if judgement.verdict == Verdict::Worse && !self.one_environment() {
            let seen = self.judge.seen();
            return Some(Because::Worse {
                log_e: shown(judgement.log_e_worse),
                threshold: shown(judgement.threshold_worse),
                canary: seen.canary,
                base: seen.base,
            });
        }
        let guard = self.guard.as_ref()?;
        let (log_e, threshold) = (guard.log_e(), threshold(plan.rules().alpha_rollback));
        let over = log_e >= threshold;
        over.then(|| Because::OverBudget {
            budget: shown(guard.budget()),
            log_e: shown(log_e),
            threshold: shown(threshold),
        })
    }

    fn one_environment(&self) -> bool {
        self.judge.seen().canary.events() < FEW_EVENTS
            && self.failing_environments.is_some_and(|count| count < 2)
    }

    /// What time and evidence for the canary allow.
    fn progress(&mut self, plan: &Plan, evidence: &Evidence, judgement: &Judgement) -> Reason {
        let max_duration_ms = plan.rules().max_duration_ms;
        if self.phase != Phase::Promoting && self.now_ms >= self.out_of_time_ms(plan) {
            return self.roll_back(Because::OutOfTime { max_duration_ms });
        }
        match self.phase {
            Phase::Pending => self.start(plan, evidence),
            Phase::Shifting { .. } | Phase::Promoting => self.await_target(plan),
            Phase::Watching { step } => match self.hold(plan, step, evidence, judgement) {
                Some(reason) => reason,
                None if step + 1 < plan.steps().len() => self.shift(plan, step + 1),
                None => self.promote(Reason::NotWorse {
                    harm_upper: shown(judgement.harm_upper),
                    margin: plan.rules().margin,
                }),
            },
            Phase::RollingBack { .. } | Phase::Ended { .. } => self.rolling_back(plan),
        }
    }

    fn start(&mut self, plan: &Plan, evidence: &Evidence) -> Reason {
        for name in &plan.rules().checks {
            match evidence.checks.iter().find(|check| check.name == *name) {
                Some(check) if check.passed => {}
                Some(_) => return self.roll_back(Because::CheckFailed { name: name.clone() }),
                None => return Reason::CheckMissing { name: name.clone() },
            }
        }
        if self.paused {
            return Reason::Paused;
        }
        if let Some(name) = ringing(plan, evidence) {
            return Reason::AlarmRinging { name: name.clone() };
        }
        if let Some(name) = unknown(plan, evidence) {
            return Reason::AlarmUnknown { name: name.clone() };
        }
        self.shift(plan, 0)
    }

    fn await_target(&mut self, plan: &Plan) -> Reason {
        let deadline_ms = plan.rules().deadline_ms;
        if self.now_ms.saturating_sub(self.phase_began_ms) < deadline_ms {
            return Reason::TargetBusy;
        }
        self.roll_back(Because::OverDeadline { deadline_ms })
    }

    /// Why a step may not be left yet.
    fn hold(&self, plan: &Plan, step: usize, evidence: &Evidence, judgement: &Judgement) -> Option<Reason> {
        let rules = plan.rules();
        if self.paused {
            return Some(Reason::Paused);
        }
        if judgement.verdict == Verdict::Worse {
            return Some(Reason::OneEnvironment { events: self.judge.seen().canary.events() });
        }
        if judgement.split_broken {
            let (log_e, threshold) = (shown(judgement.log_e_split), shown(threshold(SPLIT_ALPHA)));
            return Some(Reason::SplitBroken { log_e, threshold });
        }
        if let Some(name) = unknown(plan, evidence) {
            return Some(Reason::AlarmUnknown { name: name.clone() });
        }
        let until_ms = self.wait_over_ms(plan, step);
        if self.now_ms < until_ms {
            return Some(Reason::Waiting { until_ms });
        }
        if self.step_requests < rules.canary_requests_min {
            let needed = rules.canary_requests_min;
            return Some(Reason::FewRequests { seen: self.step_requests, needed });
        }
        // The last weight that leaves something to compare with is left on evidence only.
        let last_comparison = step + 1 >= plan.steps().len() || percent_of(plan, step + 1).get() >= 100.0;
        let more = last_comparison && judgement.verdict != Verdict::NotWorse;
        more.then(|| Reason::MoreEvidence { harm_upper: shown(judgement.harm_upper), margin: rules.margin })
    }

    fn rolling_back(&self, plan: &Plan) -> Reason {
        let overdue = self.now_ms.saturating_sub(self.phase_began_ms) >= plan.rules().deadline_ms;
        if overdue { Reason::RollbackOverdue } else { Reason::TargetBusy }
    }
}

/// What the new commands of a look order.
#[derive(Default)]
struct Orders {
    abort: Option<Note>,
    promote: Option<(Note, Note)>,
    ignored: Vec<u64>,
}

/// A vetoing alarm in ALARM.
fn ringing<'a>(plan: &'a Plan, evidence: &Evidence) -> Option<&'a String> {
    let rings = |name: &&String| {
        evidence.alarms.iter().any(|alarm| alarm.name == **name && alarm.state == AlarmState::Alarm)
    };
    plan.rules().alarms.iter().find(rings)
}

/// A vetoing alarm that nothing was heard of.
fn unknown<'a>(plan: &'a Plan, evidence: &Evidence) -> Option<&'a String> {
    plan.rules().alarms.iter().find(|name| evidence.alarms.iter().all(|alarm| alarm.name != **name))
}
