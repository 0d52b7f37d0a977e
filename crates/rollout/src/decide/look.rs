//! A look: evidence, orders and time, and what they allow.

use pitbird_analysis::judge::{REPORT_ALPHA, SPLIT_ALPHA};
use pitbird_analysis::latency::QUANTILES;
use pitbird_analysis::release::PAIRS_PART;
use pitbird_analysis::{Arm, Culprit, Findings, Metric, Pairs, Verdict, combine, threshold};

use super::ramp::is_last_comparison;
use super::retreat::RETREAT_MS;
use super::transition::RESTART_MS;
use super::{Effect, SILENT_GAPS, SILENT_MS};
use crate::record::shown;
use crate::{
    Action, AlarmState, Because, Command, Evidence, Note, ObservedFirsts, Phase, Plan, Reason, State,
};

/// Below this many errors a rollback wants to see them in two environments, and from two clients.
const FEW_EVENTS: u64 = 5;

impl State {
    /// Takes the evidence in, before anything is decided on it.
    pub(super) fn observe(&mut self, plan: &Plan, evidence: &Evidence) {
        if self.weight.get() > 0.0 && self.now_ms >= self.restart_ms {
            self.begin_again();
            self.restart_ms = self.now_ms.saturating_add(RESTART_MS);
        }
        let (mut requests, mut highest, mut canary) = (0_u64, 0.0_f64, Arm::default());
        for seen in &evidence.buckets {
            let bucket = seen.bucket;
            requests =
                requests.saturating_add(bucket.canary.requests()).saturating_add(bucket.base.requests());
            (highest, canary) = (highest.max(seen.percent.get()), canary.plus(bucket.canary));
            if seen.percent == self.weight {
                self.step_requests = self.step_requests.saturating_add(bucket.canary.requests());
            }
        }
        if canary.requests() > 0 {
            self.course.canary_ms = Some(self.now_ms);
            self.watch_budget(plan, canary, highest);
        }
        if !evidence.is_blind {
            self.course.rate.look(requests, self.now_ms);
        }
        self.watch_guardrails(plan, evidence);
        self.gather(plan, evidence);
        self.compare_users(plan, evidence);
        self.compare_pairs(evidence.pairs);
        self.failing_environments = evidence.failing_environments.or(self.failing_environments);
        self.failing_clients = evidence.failing_clients.or(self.failing_clients);
    }

    /// Takes in who failed for the first time; nothing unless the plan counts users.
    fn compare_users(&mut self, plan: &Plan, evidence: &Evidence) {
        if evidence.has_forgotten {
            self.judge.forget();
            self.routes.iter_mut().for_each(|routes| routes.forget());
        }
        for ObservedFirsts { percent, route, firsts } in &evidence.firsts {
            let weight = percent.get() / 100.0;
            let Some(route) = route else {
                self.judge.observe_firsts(*firsts, weight);
                continue;
            };
            let place = plan.judged().routes.iter().position(|known| known == route);
            if let (Some(place), Some(routes)) = (place, &mut self.routes) {
                routes.observe_firsts(place, *firsts, weight);
            }
        }
    }

    /// Takes in what both arms answered; nothing unless the plan judges pairs. Each is a request that the canary was seen with, whatever
    /// its weight, and waits for no bucket: it brings its own comparison.
    fn compare_pairs(&mut self, seen: Pairs) {
        let Some(pairs) = self.pairs.as_mut().filter(|_| !seen.is_empty()) else { return };
        pairs.observe(seen);
        self.step_requests = self.step_requests.saturating_add(seen.pairs);
        self.course.canary_ms = Some(self.now_ms);
    }

    /// Lets every test watch for a regression that begins now.
    pub(super) fn begin_again(&mut self) {
        self.judge.restart();
        self.latency.iter_mut().for_each(|latency| latency.restart());
        self.routes.iter_mut().for_each(|routes| routes.restart());
        self.pairs.iter_mut().for_each(|pairs| pairs.restart());
        self.guardrails.iter_mut().for_each(|guardrail| guardrail.test.restart());
    }

    /// Rollback first, promotion last.
    pub(super) fn look(
        &mut self,
        plan: &Plan,
        evidence: &Evidence,
        commands: &[Command],
        found: &Findings,
    ) -> Effect {
        let (phase, was_paused) = (self.phase.clone(), self.paused);
        let orders = self.take_orders(commands);
        let heard = self.hear(plan, evidence);
        let reason = match orders.abort {
            _ if matches!(self.phase, Phase::RollingBack { .. }) => self.rolling_back(plan),
            Some(by) => self.roll_back(Because::Aborted { by }),
            None => match self.veto(plan, evidence, found).or(heard) {
                Some(because) => self.roll_back(because),
                None => match orders.promote {
                    Some((by, reason)) => {
                        self.paused = false;
                        self.promote(Reason::Ordered { by, reason })
                    }
                    None => self.progress(plan, evidence, found),
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
                Action::Resume if self.paused => self.paused = false,
                Action::Resume => self.course.is_gate_open |= self.course.gate_ms.is_some(),
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
    fn veto(&self, plan: &Plan, evidence: &Evidence, found: &Findings) -> Option<Because> {
        let alarm = ringing(plan, evidence).filter(|_| self.phase != Phase::Pending);
        if let Some(name) = alarm {
            return Some(Because::Alarm { name: name.clone() });
        }
        let is_worse = found.verdict == Verdict::Worse && (!self.few_sources() || is_worse_by_pairs(found));
        is_worse.then(|| self.worse(plan, found)).or_else(|| self.broken(plan))
    }

    /// The strongest of what is worse.
    fn worse(&self, plan: &Plan, found: &Findings) -> Because {
        let (log_e, threshold) = (shown(found.log_e_worse), shown(found.threshold_worse));
        let culprits = self.culprits(plan, REPORT_ALPHA);
        match culprits.iter().find(|culprit| culprit.metric != Metric::ColdStarts) {
            Some(Culprit { route: Some(route), metric, .. }) => {
                let (canary, base) = self.seen_on(*route, *metric);
                let name = plan.judged().routes.get(*route).map_or("", String::as_str);
                let (route, metric) = (Note::from(name), Note::from(metric.to_string()));
                Because::RouteWorse { route, metric, log_e, threshold, canary, base }
            }
            Some(Culprit { route: None, metric: Metric::Slow(at), .. }) => self.slower(*at, log_e, threshold),
            // No threshold convinces by itself, all of them together do.
            None if self.is_latency(found) => self.slower(strongest(found), log_e, threshold),
            _ => {
                let (seen, firsts) = (self.judge.seen(), self.judge.firsts());
                let pairs = self.pairs();
                Because::Worse { log_e, threshold, canary: seen.canary, base: seen.base, firsts, pairs }
            }
        }
    }

    fn slower(&self, at: usize, log_e: f64, threshold: f64) -> Because {
        let seen = self.timed().unwrap_or_default().at(at);
        let quantile = QUANTILES.get(at).copied().unwrap_or_default();
        Because::Slower { quantile, log_e, threshold, canary: seen.canary, base: seen.base }
    }

    /// Is it rather the latency that convicts than the errors?
    fn is_latency(&self, found: &Findings) -> bool {
        let pairs = found.pairs.map_or(f64::NEG_INFINITY, |pairs| pairs.log_e_worse);
        found.latency.is_some_and(|latency| latency.log_e_slower > self.judge.log_e_worse().max(pairs))
    }

    fn seen_on(&self, route: usize, metric: Metric) -> (Arm, Arm) {
        let requests = self.routes.as_ref().and_then(|routes| routes.requests(route)).unwrap_or_default();
        let events = self.routes.as_ref().and_then(|routes| routes.events(route, metric)).unwrap_or_default();
        let arm = |requests, events: u64| Arm::new(requests, events.min(requests)).unwrap_or_default();
        (arm(requests.0, events.0), arm(requests.1, events.1))
    }

    pub(super) fn few_sources(&self) -> bool {
        let is_one = |count: Option<u32>| count.is_some_and(|count| count < 2);
        self.canary_errors() < FEW_EVENTS
            && (is_one(self.failing_environments) || is_one(self.failing_clients))
    }

    /// The canary's errors that are compared with the base's: one of each user, where users are counted.
    fn canary_errors(&self) -> u64 {
        self.judge.firsts().map_or(self.judge.seen().canary.events(), |firsts| firsts.canary)
    }

    /// What time and evidence for the canary allow.
    fn progress(&mut self, plan: &Plan, evidence: &Evidence, found: &Findings) -> Reason {
        let max_duration_ms = plan.rules().max_duration_ms;
        if self.phase != Phase::Promoting && self.now_ms >= self.out_of_time_ms(plan) {
            return self.roll_back(Because::OutOfTime { max_duration_ms });
        }
        if self.gate_until_ms(plan).is_some_and(|until_ms| self.now_ms >= until_ms) {
            return self.roll_back(Because::GateClosed { timeout_ms: plan.rules().gate_timeout_ms });
        }
        if let Some(reason) = self.guarded(plan, evidence) {
            return reason;
        }
        match self.phase {
            Phase::Pending => self.start(plan, evidence),
            Phase::Shifting { .. } | Phase::Promoting => self.await_target(plan),
            Phase::Watching { step } => self.watch(plan, step, evidence, found),
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
        self.at_hook(plan).unwrap_or_else(|| self.shift(plan, 0))
    }

    fn await_target(&mut self, plan: &Plan) -> Reason {
        let deadline_ms = plan.rules().deadline_ms;
        if self.now_ms.saturating_sub(self.phase_began_ms) < deadline_ms {
            return Reason::TargetBusy;
        }
        self.roll_back(Because::OverDeadline { deadline_ms })
    }

    fn watch(&mut self, plan: &Plan, step: usize, evidence: &Evidence, found: &Findings) -> Reason {
        let held = self.held(plan, evidence, found);
        // Less risk is always allowed, more of it not while something is wrong.
        let next = self.next_percent(plan, step, found);
        if let Some(percent) = next.filter(|percent| held.is_none() || *percent < self.weight) {
            return self.shift_within(plan, step, percent);
        }
        if let Some(reason) = held.or_else(|| self.retreated()) {
            return reason;
        }
        if self.is_retreat_over() {
            return self.shift(plan, step);
        }
        let unready = self.unready(plan, step, found).or_else(|| self.at_gate(plan, step));
        match unready.or_else(|| self.at_hook(plan)) {
            Some(reason) => reason,
            None if step + 1 < plan.steps().len() => self.shift(plan, step + 1),
            None => self.promote(Reason::NotWorse {
                harm_upper: shown(found.harm_upper),
                margin: plan.rules().margin,
            }),
        }
    }

    /// What forbids any more weight.
    fn held(&self, plan: &Plan, evidence: &Evidence, found: &Findings) -> Option<Reason> {
        if self.paused {
            return Some(Reason::Paused);
        }
        if found.verdict == Verdict::Worse || self.is_broken_by_few(plan) {
            return Some(Reason::OneEnvironment { events: self.canary_errors() });
        }
        if found.split_broken {
            let (log_e, threshold) = (shown(found.log_e_split), shown(threshold(SPLIT_ALPHA)));
            return Some(Reason::SplitBroken { log_e, threshold });
        }
        if let Some(name) = unknown(plan, evidence) {
            return Some(Reason::AlarmUnknown { name: name.clone() });
        }
        evidence.is_blind.then_some(Reason::Blind)
    }

    fn retreated(&self) -> Option<Reason> {
        let since_ms = self.course.retreat_ms.filter(|_| !self.is_retreat_over())?;
        Some(Reason::Retreated { until_ms: since_ms.saturating_add(RETREAT_MS) })
    }

    /// Why a step may not be left yet.
    fn unready(&self, plan: &Plan, step: usize, found: &Findings) -> Option<Reason> {
        let rules = plan.rules();
        let until_ms = self.wait_over_ms(plan, step);
        if self.now_ms < until_ms {
            return Some(Reason::Waiting { until_ms });
        }
        if self.step_requests < rules.canary_requests_min {
            let needed = rules.canary_requests_min;
            return Some(Reason::FewRequests { seen: self.step_requests, needed });
        }
        if let Some(since_ms) = self.silent_since_ms() {
            return Some(Reason::Silent { since_ms });
        }
        if let Some(reason) = self.unseen(plan) {
            return Some(reason);
        }
        if !is_last_comparison(plan, step) || found.verdict == Verdict::NotWorse {
            return None;
        }
        if found.harm_upper > rules.margin {
            return Some(Reason::MoreEvidence { harm_upper: shown(found.harm_upper), margin: rules.margin });
        }
        let (latency, seen) = (plan.judged().latency.as_ref()?, found.latency?);
        Some(Reason::MoreLatency {
            body_upper: shown(seen.body_upper),
            body_margin: latency.body_margin,
            tail_upper: shown(seen.tail_upper),
            tail_margin: latency.tail_margin,
        })
    }

    /// Everything else allows to go on, and a person hasn't yet.
    fn at_gate(&mut self, plan: &Plan, step: usize) -> Option<Reason> {
        let has_gate = plan.steps().get(step).is_some_and(|step| step.gate);
        if !has_gate || self.course.is_gate_open {
            return None;
        }
        self.course.gate_ms.get_or_insert(self.now_ms);
        Some(Reason::Gate { percent: self.weight })
    }

    /// Since when no canary request was seen, if that is long for as many as this step saw.
    fn silent_since_ms(&self) -> Option<u64> {
        let (canary_ms, step_ms) = (self.course.canary_ms?, self.course.step_ms?);
        let gap_ms = canary_ms.saturating_sub(step_ms) / self.step_requests.max(1);
        let patience_ms = SILENT_MS.max(gap_ms.saturating_mul(SILENT_GAPS));
        (self.now_ms.saturating_sub(canary_ms) > patience_ms).then_some(canary_ms)
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

/// Do pairs convict by themselves? They fail in environments of their own, and a dozen of them is not few.
fn is_worse_by_pairs(found: &Findings) -> bool {
    let log_e = found.pairs.map_or(0.0, |pairs| combine(&[(PAIRS_PART, pairs.log_e_worse)]));
    log_e >= found.threshold_worse
}

/// The threshold that says most.
fn strongest(found: &Findings) -> usize {
    let log_e_at = found.latency.map_or([0.0; QUANTILES.len()], |latency| latency.log_e_at);
    (1..log_e_at.len()).fold(0, |best, at| if log_e_at[at] > log_e_at[best] { at } else { best })
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
