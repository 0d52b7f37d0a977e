//! One look: what was seen and ordered goes to the planner, and what it says becomes the rollout's state. Pure.

use pitbird_names::Percent;
use pitbird_rollout::{
    self as planner, Action, Command, Evidence, HookAnswer, Note, Record, Step, Turn as Word,
};

use crate::journal::{Order, Wanted};
use crate::minutes::Shift;
use crate::run::Run;
use crate::target::{Change, Strayed};

/// Who stops a rollout whose target was changed by somebody else.
const EXECUTOR: &str = "pitbird";

/// What a look leads to.
#[derive(Debug, Clone)]
pub struct Turn {
    pub run: Run,
    /// What the planner recorded, oldest first.
    pub records: Vec<Record>,
    /// Nothing happened that is worth writing down.
    pub is_idle: bool,
    /// Orders that came too late or too early, in words.
    pub ignored: Vec<Wanted>,
}

/// Looks. `strayed` is how the target is not as the rollout made it.
pub fn look(
    run: &Run,
    mut evidence: Evidence,
    orders: &[Order],
    strayed: Option<&Strayed>,
    now_ms: u64,
) -> Turn {
    let mut run = run.clone();
    let before = run.state.clone();
    let mut commands: Vec<Command> = Vec::new();
    if let Some(strayed) = strayed {
        // Counted under a weight that nobody knows, so not told.
        evidence.buckets.clear();
        evidence.routes.clear();
        let by = Note::from(format!("{EXECUTOR}, because {}", strayed.words()));
        commands.push(number(&mut run, Action::Abort, by));
    }
    let first = run.commands + 1;
    commands.extend(orders.iter().map(|order| {
        let (action, by) = told(order);
        number(&mut run, action, by)
    }));
    run.orders += orders.len() as u64;
    let is_quiet = evidence.buckets.is_empty() && evidence.hooks.is_empty() && commands.is_empty();
    let Word { state, record, .. } = planner::next(&run.plan, &before, &evidence, &commands, now_ms);
    let ignored = record.iter().flat_map(|record| &record.commands_ignored);
    let ignored = ignored.filter_map(|number| orders.get(number.checked_sub(first)? as usize));
    let ignored = ignored.map(|order| order.wanted).collect();
    let same = |record: &Record| {
        *state.phase() == *before.phase()
            && state.is_paused() == before.is_paused()
            && state.questions().eq(before.questions())
            && record.reason.to_string() == run.reason
    };
    let is_idle = is_quiet && record.as_ref().is_none_or(same);
    let mut turn = Turn { run, records: Vec::new(), is_idle, ignored };
    turn.take_in(Word { step: state.step(&turn.run.plan), state, record }, now_ms);
    turn
}

/// After the end: hooks are told, and what they answered is heard.
pub fn farewell(run: &Run, answers: Vec<HookAnswer>, now_ms: u64) -> Turn {
    let evidence = Evidence { hooks: answers, ..Evidence::default() };
    let word = planner::next(&run.plan, &run.state, &evidence, &[], now_ms);
    let is_idle = word.record.is_none();
    Turn { is_idle, ..follow(run.clone(), word, now_ms) }
}

/// The target has done the step that is under way.
pub fn applied(run: &Run, generation: u64, now_ms: u64) -> Turn {
    let mut run = run.clone();
    if let Some(shift) = run.shifts.last_mut() {
        shift.live_ms.get_or_insert(now_ms);
    }
    let word = planner::applied(&run.plan, &run.state, generation, now_ms);
    follow(run, word, now_ms)
}

/// The target will never do it.
pub fn refused(run: &Run, generation: u64, words: &str, now_ms: u64) -> Turn {
    let word = planner::refused(&run.plan, &run.state, generation, Note::from(words), now_ms);
    follow(run.clone(), word, now_ms)
}

fn follow(run: Run, word: Word, now_ms: u64) -> Turn {
    let mut turn = Turn { run, records: Vec::new(), is_idle: false, ignored: Vec::new() };
    turn.take_in(word, now_ms);
    turn
}

impl Turn {
    fn take_in(&mut self, word: Word, now_ms: u64) {
        let run = &mut self.run;
        let generation = run.state.generation();
        run.state = word.state;
        if let Some(record) = word.record {
            run.reason = record.reason.to_string();
            self.records.push(record);
        }
        // Written down before anything is done: from now on the weight may be another.
        if run.state.generation() > generation {
            run.shifts.extend(coming(&word.step).map(|percent| Shift {
                percent,
                decided_ms: now_ms,
                live_ms: None,
            }));
        }
    }

    /// What changed for people, if anything did.
    pub fn news(&self, before: &Run) -> Option<String> {
        let (old, new) = (&before.state, &self.run.state);
        let changed = old.phase() != new.phase()
            || old.is_paused() != new.is_paused()
            || before.reason != self.run.reason;
        changed.then(|| self.run.reason.clone())
    }
}

/// The share after a step.
fn coming(step: &Step) -> Option<Percent> {
    match Change::of(step)?.0 {
        Change::Shift(percent) => Some(percent),
        Change::Promote => Percent::new(100.0).ok(),
        Change::RollBack => Some(Percent::default()),
        Change::Claim | Change::Release => None,
    }
}

fn number(run: &mut Run, action: Action, by: Note) -> Command {
    run.commands += 1;
    Command { number: run.commands, by, action }
}

fn told(order: &Order) -> (Action, Note) {
    let by = match &order.reason {
        Some(reason) => format!("{}: {reason}", order.by),
        None => order.by.clone(),
    };
    let action = match order.wanted {
        Wanted::Pause => Action::Pause,
        Wanted::Resume => Action::Resume,
        Wanted::Abort => Action::Abort,
        Wanted::Promote => Action::Promote { reason: Note::from(order.reason.clone().unwrap_or_default()) },
    };
    let by = if order.wanted == Wanted::Promote { order.by.clone() } else { by };
    (action, Note::from(by))
}

#[cfg(test)]
pub(crate) mod tests;
