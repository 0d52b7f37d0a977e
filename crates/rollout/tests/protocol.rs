//! The protocol of planner, executors and target, explored exhaustively for a short rollout: two executors share a store that takes
//! a write only from who has read the newest state, and a target that refuses older generations. At any moment an executor may
//! look (at no news, at a good or a bad canary, at an alarm that rings or is unknown, at an order), do the step, tell that it is done or
//! that the target refuses it, crash, or come back; and a stale one may wake up and do its old step. It is the real planner that
//! decides, in every state.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use pitbird_analysis::{Arm, Bucket, Verdict};
use pitbird_names::Percent;
use pitbird_rollout::{
    Action, Alarm, AlarmState, Command, Evidence, Note, Observed, Outcome, Phase, Plan, RampStep, Reason,
    Rules, State, Step, Target, TargetKind, Turn, applied, begin, next, refused,
};

const BEGAN_MS: u64 = 1_000_000;
const TICK_MS: u64 = 1_000;

/// What a step does to the target: the canary's percentage, 100 once it is the base; and the generation.
type Change = (u8, bool, u64);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Executor {
    /// Crashed, or not there yet.
    Gone,
    /// Has read, or written, the newest state; whether it has done its step.
    Fresh { is_done: bool },
    /// Somebody wrote since it read. What it was about to do.
    Stale { change: Option<Change> },
}

#[derive(Clone)]
struct World {
    ticks: u64,
    /// One look in a tick: what is seen is seen once.
    has_looked: bool,
    state: Rc<State>,
    /// The state's JSON.
    text: Rc<str>,
    /// How many writes there were; they number the orders.
    writes: u64,
    target: Change,
    executors: [Executor; 2],
}

/// How much is explored: the more executors, the shorter the rollout.
struct Setup {
    plan: Plan,
    /// The plan's longest duration fits.
    ticks_max: u64,
    executors: usize,
}

/// Does the target refuse older generations, as it must?
#[derive(Clone, Copy, PartialEq)]
enum Guard {
    Kept,
    Broken,
}

#[derive(Default)]
struct Found {
    worlds: usize,
    outcomes: BTreeSet<String>,
    orders: usize,
    promotions: usize,
}

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

impl Setup {
    fn new(shares: &[f64], ticks: u64, executors: usize) -> Setup {
        let target = Target { kind: TargetKind::StageCanary, description: "the model's".into() };
        let steps = shares.iter().map(|share| RampStep::new(percent(*share), 0)).collect();
        let rules = Rules {
            margin: 0.05,
            canary_requests_min: 20,
            max_duration_ms: ticks * TICK_MS,
            deadline_ms: TICK_MS,
            interval_ms: TICK_MS,
            alarms: vec!["errors".into()],
            ..Rules::default()
        };
        Setup { plan: Plan::new(target, steps, rules).unwrap(), ticks_max: ticks, executors }
    }
}

fn change(step: &Step) -> Option<Change> {
    match step {
        Step::ShiftTo { percent, generation } => Some((percent.get() as u8, false, *generation)),
        Step::Promote { generation } => Some((100, true, *generation)),
        Step::RollBack { generation, .. } => Some((0, false, *generation)),
        Step::WaitUntil { .. } | Step::Finished { .. } => None,
    }
}

/// All that a look may see, at the state's weight.
fn looks(weight: Percent, number: u64) -> Vec<(Evidence, Vec<Command>)> {
    let evidence = |state: Option<AlarmState>, failing: Option<u64>| {
        let alarm = |state| Alarm { name: "errors".into(), state };
        let canary = 30 * weight.get() as u64;
        let bucket = |failing| Bucket::new(canary, canary * failing / 2, 3_000 - canary, 0).unwrap();
        let seen = |failing| Observed { percent: weight, bucket: bucket(failing) };
        Evidence {
            alarms: state.map(alarm).into_iter().collect(),
            buckets: failing.filter(|_| canary > 0).map(seen).into_iter().collect(),
            ..Evidence::default()
        }
    };
    let order = |action| vec![Command { number, by: Note::from("ann"), action }];
    let quiet = || evidence(Some(AlarmState::Ok), None);
    vec![
        (quiet(), Vec::new()),
        (evidence(Some(AlarmState::Ok), Some(0)), Vec::new()),
        (evidence(Some(AlarmState::Ok), Some(1)), Vec::new()),
        (evidence(Some(AlarmState::Alarm), Some(0)), Vec::new()),
        (evidence(None, Some(0)), Vec::new()),
        (quiet(), order(Action::Abort)),
        (quiet(), order(Action::Promote { reason: Note::from("must out") })),
    ]
}

impl World {
    fn new(plan: &Plan) -> World {
        let state = begin(plan, Arm::default(), BEGAN_MS).state;
        let text = serde_json::to_string(&state).unwrap().into();
        let executors = [Executor::Gone; 2];
        World {
            ticks: 0,
            has_looked: false,
            state: Rc::new(state),
            text,
            writes: 0,
            target: (0, false, 0),
            executors,
        }
    }

    fn now_ms(&self) -> u64 {
        BEGAN_MS + self.ticks * TICK_MS
    }

    fn key(&self) -> u64 {
        let mut executors = self.executors;
        executors.sort();
        let mut hasher = DefaultHasher::new();
        (self.ticks, self.has_looked, &self.text, self.target, executors).hash(&mut hasher);
        hasher.finish()
    }

    /// The target does a step, or refuses it because it has done a newer one.
    fn act(&mut self, change: Change, guard: Guard) {
        if change.2 >= self.target.2 || guard == Guard::Broken {
            self.target = change;
        }
    }

    /// An executor that has the newest state writes the next one; the other is stale from now on.
    fn write(&mut self, plan: &Plan, who: usize, turn: Turn) {
        if turn.record.is_none() {
            return;
        }
        let before = change(&self.state.step(plan));
        if let Executor::Fresh { .. } = self.executors[1 - who] {
            self.executors[1 - who] = Executor::Stale { change: before };
        }
        self.executors[who] = Executor::Fresh { is_done: false };
        self.text = serde_json::to_string(&turn.state).unwrap().into();
        self.state = Rc::new(turn.state);
        self.writes += 1;
    }

    /// Every world that may come next.
    fn successors(&self, setup: &Setup, guard: Guard, found: &mut Found) -> Result<Vec<World>, String> {
        let mut all = Vec::new();
        if self.ticks < setup.ticks_max {
            all.push(World { ticks: self.ticks + 1, has_looked: false, ..self.clone() });
        }
        for who in 0..setup.executors {
            let mut other = self.clone();
            match self.executors[who] {
                Executor::Gone => {
                    other.executors[who] = Executor::Fresh { is_done: false };
                    all.push(other);
                    continue;
                }
                Executor::Stale { change } => {
                    other.executors[who] = Executor::Gone;
                    // Its word is not taken, but its deed may be done.
                    change.into_iter().for_each(|change| other.act(change, guard));
                    all.push(other);
                }
                Executor::Fresh { is_done } => {
                    self.fresh(&setup.plan, (who, is_done), guard, &mut all, found)?
                }
            }
            let mut crashed = self.clone();
            crashed.executors[who] = Executor::Gone;
            all.push(crashed);
        }
        Ok(all)
    }

    fn fresh(
        &self,
        plan: &Plan,
        (who, is_done): (usize, bool),
        guard: Guard,
        all: &mut Vec<World>,
        found: &mut Found,
    ) -> Result<(), String> {
        if let Some(change) = change(&self.state.step(plan)) {
            let (mut done, mut told) = (self.clone(), self.clone());
            done.act(change, guard);
            done.executors[who] = Executor::Fresh { is_done: true };
            all.push(done);
            if is_done {
                told.write(plan, who, applied(plan, &self.state, change.2, self.now_ms()));
                all.push(told);
            } else if !matches!(self.state.phase(), Phase::RollingBack { .. }) {
                // A rollback that is refused is for a person to look at.
                let words = Note::from("never");
                told.write(plan, who, refused(plan, &self.state, change.2, words, self.now_ms()));
                all.push(told);
            }
        }
        if self.has_looked || self.state.outcome().is_some() {
            return Ok(());
        }
        for (evidence, commands) in looks(self.state.weight(), self.writes + 1) {
            let turn = next(plan, &self.state, &evidence, &commands, self.now_ms());
            check_decision(plan, &self.state, &evidence, &turn, found)?;
            let mut looked = self.clone();
            looked.has_looked = true;
            looked.write(plan, who, turn);
            all.push(looked);
        }
        Ok(())
    }

    /// Which way the traffic goes agrees with how it ended, for ever after.
    fn check(&self) -> Result<(), String> {
        let (share, is_promoted, generation) = self.target;
        let told = |words: &str| Err(format!("{words}: target {:?}, {:?}", self.target, self.state.phase()));
        if generation > self.state.generation() {
            return told("the target did what was never written down");
        }
        match self.state.outcome() {
            Some(Outcome::Promoted) if !(is_promoted && share == 100) => {
                told("promoted, and the target isn't")
            }
            Some(Outcome::Promoted) | None => Ok(()),
            Some(_) if is_promoted || share > 0 => told("not promoted, and the canary still serves"),
            Some(_) => Ok(()),
        }
    }

    /// With one executor that lives and nothing to see, it ends.
    fn check_end(&self, plan: &Plan) -> Result<(), String> {
        let mut world =
            World { executors: [Executor::Fresh { is_done: false }, Executor::Gone], ..self.clone() };
        for _ in 0..8 {
            while let Some(change) = change(&world.state.step(plan)) {
                world.act(change, Guard::Kept);
                let turn = applied(plan, &world.state, change.2, world.now_ms());
                world.write(plan, 0, turn);
                world.check()?;
            }
            if world.state.outcome().is_some() {
                return Ok(());
            }
            world.ticks += 1;
            let turn = next(plan, &world.state, &Evidence::default(), &[], world.now_ms());
            world.write(plan, 0, turn);
        }
        Err(format!("it doesn't end: {:?}", world.state.phase()))
    }
}

/// No promotion, and no shift to all of the traffic, without evidence or an order; and no alarm is overheard.
fn check_decision(
    plan: &Plan,
    before: &State,
    evidence: &Evidence,
    turn: &Turn,
    found: &mut Found,
) -> Result<(), String> {
    let record = turn.record.as_ref().expect("a look before the end is recorded");
    let is_new = *before.phase() != *turn.state.phase();
    let goes_back = matches!(turn.state.phase(), Phase::RollingBack { .. } | Phase::Ended { .. });
    let rings = evidence.alarms.iter().any(|alarm| alarm.state == AlarmState::Alarm);
    if rings && *before.phase() != Phase::Pending && !goes_back {
        return Err(format!("an alarm was overheard in {:?}", before.phase()));
    }
    let gives_all = matches!(turn.step, Step::Promote { .. })
        || matches!(&turn.step, Step::ShiftTo { percent, .. } if percent.get() >= 100.0);
    if !(is_new && gives_all) {
        return Ok(());
    }
    if matches!(record.reason, Reason::Ordered { .. }) {
        found.orders += 1;
        return Ok(());
    }
    found.promotions += usize::from(matches!(turn.step, Step::Promote { .. }));
    if turn.state.judgement(plan).verdict != Verdict::NotWorse || turn.state.seen().canary.requests() == 0 {
        return Err(format!("without evidence: {}", record.reason));
    }
    if evidence.alarms.is_empty() { Err("over an unknown alarm".to_owned()) } else { Ok(()) }
}

/// All worlds that can be reached, each once.
fn explore(setup: &Setup, guard: Guard) -> Result<Found, String> {
    let plan = &setup.plan;
    let (mut seen, mut ends, mut found) = (HashSet::new(), HashSet::new(), Found::default());
    let mut waiting = vec![World::new(plan)];
    seen.insert(waiting[0].key());
    while let Some(world) = waiting.pop() {
        found.worlds += 1;
        world.check()?;
        let alone = World { executors: [Executor::Gone; 2], has_looked: false, ..world.clone() };
        if ends.insert(alone.key()) && guard == Guard::Kept {
            world.check_end(plan)?;
        }
        found.outcomes.extend(world.state.outcome().map(|outcome| outcome.to_string()));
        for next in world.successors(setup, guard, &mut found)? {
            if seen.insert(next.key()) {
                waiting.push(next);
            }
        }
    }
    Ok(found)
}

fn check(setup: &Setup, worlds_min: usize) {
    let found = explore(setup, Guard::Kept).unwrap_or_else(|words| panic!("{words}"));
    let expected = ["aborted", "failed", "inconclusive", "promoted", "rolled back", "timed out"];
    assert!(found.outcomes.iter().map(String::as_str).eq(expected), "{:?}", found.outcomes);
    assert!(found.promotions > 0 && found.orders > 0, "{} {}", found.promotions, found.orders);
    assert!(found.worlds > worlds_min, "{}", found.worlds);
}

#[test]
fn crashes_and_everything_that_may_be_seen_break_no_promise() {
    check(&Setup::new(&[10.0, 100.0], 3, 1), 20_000);
}

#[test]
fn two_executors_at_once_break_no_promise() {
    check(&Setup::new(&[10.0], 2, 2), 10_000);
}

/// The same finds fault with a target that lets an older generation through.
#[test]
fn without_generations_a_stale_executor_does_harm() {
    let found = explore(&Setup::new(&[10.0], 2, 2), Guard::Broken);
    let words = found.map(|found| found.worlds).expect_err("somebody comes too late");
    assert!(words.contains("canary still serves") || words.contains("and the target isn't"), "{words}");
}
