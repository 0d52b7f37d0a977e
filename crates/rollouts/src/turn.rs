//! What one look leads to: the planner's word, what it makes of the target, and the planner's word on that, until
//! nothing is left to do but wait. Pure.

use pitbird_analysis::Pairs;
use pitbird_names::Percent;
use pitbird_records::rollout::{CanaryUse, Change, ColdStarts, Order, OrderKind, PairCounts, Shift};
use pitbird_rollout::{
    self as planner, Action, Command, Evidence, HookAnswer, Note, Phase, Plan, Record, State, Step,
    Turn as Word,
};

use crate::Rollout;
use crate::target::{Around, View};

/// Who stops a rollout whose target was changed by somebody else.
const EXECUTOR: &str = "pitbird";

/// What somebody wants of a rollout.
#[derive(Debug, Clone)]
pub struct Wish {
    pub action: Action,
    /// Who and why, for the planner's record.
    pub by: Note,
    /// For the rollout's own.
    pub order: Order,
}

/// What a look leads to. All of it is written down in one commit.
#[derive(Debug, Clone)]
pub struct Turn {
    pub rollout: Rollout,
    /// What the planner recorded, oldest first.
    pub records: Vec<Record>,
    /// The target as it is to be; none where it stays.
    pub target: Option<View>,
    pub step: Step,
    /// The order had no effect: it came too late or too early.
    pub is_order_ignored: bool,
    /// Nothing happened that is worth writing down.
    pub is_idle: bool,
}

/// Looks at the evidence, and obeys an order if there is one.
pub fn take(
    rollout: &Rollout,
    target: &View,
    evidence: Evidence,
    wish: Option<Wish>,
    around: Around,
) -> Turn {
    let mut turn = Turn::new(rollout);
    // A step that was written down but not done is done first.
    turn.act(target, around);
    if turn.rollout.state.outcome().is_none() {
        turn.look(target, evidence, wish, around);
        turn.act(target, around);
    } else {
        turn.is_order_ignored = wish.is_some();
    }
    turn.finish(rollout, around);
    turn
}

/// After the end: hooks are told, and what they answered is heard. Nothing that the target was made of is touched.
pub fn farewell(rollout: &Rollout, answers: Vec<HookAnswer>, around: Around) -> Turn {
    let mut turn = Turn::new(rollout);
    let evidence = Evidence { hooks: answers, ..Evidence::default() };
    let word = planner::next(&rollout.plan, &rollout.state, &evidence, &[], around.now_ms);
    turn.is_idle = word.record.is_none();
    turn.take_in(word);
    turn.finish(rollout, around);
    turn
}

impl Turn {
    fn new(rollout: &Rollout) -> Turn {
        Turn {
            rollout: rollout.clone(),
            records: Vec::new(),
            target: None,
            step: rollout.state.step(&rollout.plan),
            is_order_ignored: false,
            is_idle: false,
        }
    }

    fn look(&mut self, target: &View, mut evidence: Evidence, wish: Option<Wish>, around: Around) {
        let target = self.target.as_ref().unwrap_or(target);
        let weight = self.rollout.state.weight();
        let strayed = target.strayed(weight).filter(|_| weight.get() > 0.0);
        let has_order = wish.is_some();
        let mut orders: Vec<Order> = wish.iter().map(|wish| wish.order.clone()).collect();
        let order = match strayed {
            // Counted under a weight that nobody knows, so not told.
            Some(words) => {
                evidence.buckets.clear();
                evidence.latency.clear();
                evidence.routes.clear();
                evidence.ceilings.clear();
                evidence.firsts.clear();
                evidence.pairs = Pairs::default();
                self.is_order_ignored = has_order;
                orders.push(own_abort(&words, around.now_ms));
                Some((Action::Abort, Note::from(format!("{EXECUTOR}, because {words}"))))
            }
            None => wish.map(|wish| (wish.action, wish.by)),
        };
        let commands: Vec<Command> = order.into_iter().map(|(action, by)| self.number(action, by)).collect();
        let saw_nothing = evidence.buckets.is_empty()
            && evidence.latency.is_empty()
            && evidence.routes.is_empty()
            && evidence.ceilings.is_empty()
            && evidence.firsts.is_empty()
            && evidence.pairs.is_empty()
            && !evidence.has_forgotten
            && evidence.hooks.is_empty();
        let is_quiet = saw_nothing && commands.is_empty();
        let before = self.rollout.state.clone();
        let (plan, state) = (&self.rollout.plan, &self.rollout.state);
        let word = planner::next(plan, state, &evidence, &commands, around.now_ms);
        if let Some(record) = &word.record {
            self.is_order_ignored |= !record.commands_ignored.is_empty() && has_order;
            let same = *word.state.phase() == *before.phase()
                && word.state.is_paused() == before.is_paused()
                && word.state.questions().eq(before.questions());
            self.is_idle = is_quiet && same && record.reason.to_string() == self.rollout.reason;
        }
        for order in orders {
            let is_own = order.by == EXECUTOR;
            self.rollout.remember(Order { is_obeyed: is_own || !self.is_order_ignored, ..order });
        }
        self.take_in(word);
    }

    /// Counts what the canary has used. Requests that are no evidence use it as well: where nothing else happened, that alone is worth
    /// writing down, without an entry that would say nothing.
    pub fn use_of_canary(&mut self, before: &Rollout, used: Option<CanaryUse>) {
        let used = used.unwrap_or_default();
        let canary_use = self.rollout.canary_use.and(used);
        if self.is_idle && used != CanaryUse::default() {
            self.rollout = before.clone();
            self.records.clear();
            self.is_idle = false;
        }
        self.rollout.canary_use = canary_use;
    }

    /// Counts requests that began an environment, if the look is written down; else they come again.
    pub fn cold_starts(&mut self, seen: Option<ColdStarts>) {
        let (seen, told) = (seen.unwrap_or_default(), &mut self.rollout.cold_starts);
        told.base += seen.base;
        told.canary += seen.canary;
    }

    /// Counts requests that both arms answered, as [`Turn::cold_starts`] does its own.
    pub fn pairs(&mut self, seen: Pairs, at_ms: u64) {
        let Pairs { pairs, canary_alone, base_alone } = seen;
        self.rollout.count_pairs(PairCounts { pairs, canary_alone, base_alone }, at_ms);
    }

    /// Does the step that is under way, and what follows from that.
    fn act(&mut self, target: &View, around: Around) {
        while let Some((change, percent, generation)) = change(&self.step) {
            let (plan, state) = (&self.rollout.plan, &self.rollout.state);
            let present = self.target.as_ref().unwrap_or(target);
            let word = match present.change(change, percent, state.weight(), around) {
                Ok(changed) => {
                    self.target = Some(changed);
                    self.rollout.shifts.push(Shift {
                        generation,
                        change,
                        percent,
                        decided_ms: around.now_ms,
                        live_ms: None,
                    });
                    planner::applied(plan, state, generation, around.now_ms)
                }
                Err(words) => planner::refused(plan, state, generation, Note::from(words), around.now_ms),
            };
            self.take_in(word);
        }
    }

    fn take_in(&mut self, word: Word) {
        self.rollout.state = word.state;
        self.step = word.step;
        if let Some(record) = word.record {
            self.rollout.reason = record.reason.to_string();
            self.records.push(record);
        }
    }

    fn number(&mut self, action: Action, by: Note) -> Command {
        self.rollout.commands += 1;
        Command { number: self.rollout.commands, by, action }
    }

    fn finish(&mut self, before: &Rollout, around: Around) {
        self.is_idle &= self.records.len() <= 1;
        self.rollout.entries += self.records.len() as u64;
        if self.rollout.state.phase() != before.state.phase() {
            self.rollout.phase_began_ms = around.now_ms;
        }
        if self.rollout.state.outcome().is_some() {
            self.rollout.ended_ms.get_or_insert(around.now_ms);
        }
    }
}

fn own_abort(words: &str, at_ms: u64) -> Order {
    Order {
        at_ms,
        kind: OrderKind::Abort,
        by: EXECUTOR.to_owned(),
        access_key_id: None,
        is_verified: true,
        why: Some(words.to_owned()),
        is_obeyed: true,
    }
}

/// The change of the target that a step asks for, with the canary's share after it.
fn change(step: &Step) -> Option<(Change, Percent, u64)> {
    match step {
        Step::ShiftTo { percent, generation } => Some((Change::Shift, *percent, *generation)),
        Step::Promote { generation } => {
            Some((Change::Promote, Percent::new(100.0).expect("a percentage"), *generation))
        }
        Step::RollBack { generation, .. } => Some((Change::RollBack, Percent::default(), *generation)),
        Step::WaitUntil { .. } | Step::Finished { .. } => None,
    }
}

/// The step of the ramp at which a state is, counted from 0, and how many there are.
pub fn step_index(plan: &Plan, state: &State) -> Option<usize> {
    match state.phase() {
        Phase::Shifting { step } | Phase::Watching { step } => Some(*step),
        Phase::Promoting => Some(plan.steps().len() - 1),
        Phase::Pending | Phase::RollingBack { .. } | Phase::Ended { .. } => None,
    }
}
