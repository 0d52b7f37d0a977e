use pitbird_analysis::{Arm, Bucket};
use pitbird_names::Percent;
use pitbird_rollout::{self as planner, HookWord, Observed, Outcome, Phase, Plan};
use serde_json::json;

use super::*;
use crate::journal::{self, Journal};
use crate::minutes::{LAG_MS, Meter};
use crate::run::FORM;
use crate::target::{AliasTarget, Target};

pub const NOW_MS: u64 = 1_700_000_000_000;

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

pub fn run() -> Run {
    let target = json!({"kind": "function_alias", "description": "r"});
    let steps = json!([{"percent": 10.0, "wait_ms": 60_000}, {"percent": 50.0, "wait_ms": 60_000}]);
    let plan: Plan = serde_json::from_value(json!({"target": target, "steps": steps})).unwrap();
    let text = |text: &str| text.to_owned();
    Run {
        form: FORM,
        name: text("r"),
        input: json!({}),
        state: planner::begin(&plan, Arm::default(), NOW_MS).state,
        plan,
        target: Target::Alias(AliasTarget {
            function: text("f"),
            function_name: text("f"),
            alias: text("live"),
            base: text("1"),
            canary: text("2"),
            description: String::new(),
            found: None,
        }),
        run: text("x"),
        began_ms: NOW_MS,
        is_claimed: true,
        meter: Meter::new(NOW_MS, LAG_MS),
        other_meters: Vec::new(),
        shifts: vec![Shift { percent: percent(0.0), decided_ms: NOW_MS, live_ms: Some(NOW_MS) }],
        reason: String::new(),
        records: 0,
        orders: 0,
        commands: 0,
        told: None,
        notices: Vec::new(),
        is_released: false,
    }
}

/// At 10 %, confirmed.
fn watching() -> (Run, Vec<Record>) {
    let began = look(&run(), Evidence::default(), &[], None, NOW_MS);
    let Step::ShiftTo { generation, .. } = began.run.state.step(&began.run.plan) else { panic!("it shifts") };
    let live = applied(&began.run, generation, NOW_MS + 500);
    let records = began.records.into_iter().chain(live.records).collect();
    (live.run, records)
}

fn evidence(share: f64, canary: (u64, u64), base: (u64, u64)) -> Evidence {
    let bucket = Bucket::new(canary.0, canary.1, base.0, base.1).unwrap();
    Evidence { buckets: vec![Observed { percent: percent(share), bucket }], ..Evidence::default() }
}

fn order(wanted: Wanted) -> Order {
    Order { wanted, by: "eve".to_owned(), reason: Some("because".to_owned()), at_ms: NOW_MS }
}

#[test]
fn a_shift_is_written_down_before_it_is_done_and_confirmed_after() {
    let began = look(&run(), Evidence::default(), &[], None, NOW_MS);
    let coming = began.run.shifts.last().unwrap();
    assert_eq!((coming.percent, coming.decided_ms, coming.live_ms), (percent(10.0), NOW_MS, None));
    let (live, _) = watching();
    assert_eq!(live.shifts.last().unwrap().live_ms, Some(NOW_MS + 500));
    assert_eq!(live.weights(), [percent(10.0)]);
}

#[test]
fn a_broken_canary_goes_back_and_a_good_one_is_promoted() {
    let (mut run, _) = watching();
    let bad = look(&run, evidence(10.0, (200, 200), (1800, 0)), &[], None, NOW_MS + 120_000);
    assert!(matches!(bad.run.state.phase(), Phase::RollingBack { .. }), "{}", bad.run.reason);
    for now_ms in (2..200).map(|minute| NOW_MS + minute * 60_000) {
        let share = run.state.weight().get();
        let canary = (1000.0 * share) as u64;
        run = look(&run, evidence(share, (canary, 0), (100_000 - canary, 0)), &[], None, now_ms).run;
        if let Some((_, generation)) = Change::of(&run.state.step(&run.plan)) {
            run = applied(&run, generation, now_ms).run;
        }
        if run.state.outcome().is_some() {
            break;
        }
    }
    assert_eq!(run.state.outcome(), Some(Outcome::Promoted), "{}", run.reason);
}

#[test]
fn a_change_by_somebody_else_aborts_and_what_was_counted_meanwhile_is_not_told() {
    let (run, _) = watching();
    let strayed = Strayed::Changed("alias live sends 20 % instead of 10 %".to_owned());
    let seen = evidence(10.0, (200, 0), (1800, 0));
    let turn = look(&run, seen, &[order(Wanted::Pause)], Some(&strayed), NOW_MS + 90_000);
    assert!(turn.run.reason.contains("20 % instead of 10 %"), "{}", turn.run.reason);
    assert_eq!(turn.run.state.seen(), run.state.seen());
    let Some((_, generation)) = Change::of(&turn.run.state.step(&turn.run.plan)) else {
        panic!("it goes back")
    };
    assert_eq!(applied(&turn.run, generation, NOW_MS + 91_000).run.state.outcome(), Some(Outcome::Aborted));
}

#[test]
fn orders_are_obeyed_once_and_told_where_they_come_too_late() {
    let (run, _) = watching();
    let paused = look(&run, Evidence::default(), &[order(Wanted::Pause)], None, NOW_MS + 2_000);
    assert!(paused.run.state.is_paused());
    assert_eq!((paused.run.orders, paused.run.commands), (1, 1));
    let aborted = look(&paused.run, Evidence::default(), &[order(Wanted::Abort)], None, NOW_MS + 3_000);
    assert!(matches!(aborted.run.state.phase(), Phase::RollingBack { .. }));
    let late = look(&aborted.run, Evidence::default(), &[order(Wanted::Promote)], None, NOW_MS + 4_000);
    assert_eq!(late.ignored, [Wanted::Promote]);
}

#[test]
fn a_look_that_says_nothing_new_is_not_written_down() {
    let (run, _) = watching();
    let first = look(&run, Evidence::default(), &[], None, NOW_MS + 2_000);
    assert!(!first.is_idle, "why it waits is news");
    assert!(look(&first.run, Evidence::default(), &[], None, NOW_MS + 3_000).is_idle);
    assert!(!look(&first.run, evidence(10.0, (1, 0), (9, 0)), &[], None, NOW_MS + 3_000).is_idle);
}

#[test]
fn a_journal_gives_back_what_was_written_and_the_records_lead_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::new(folder.path(), "r");
    let lock = journal.lock().unwrap();
    assert!(matches!(journal.lock(), Err(journal::Error::Taken(_))));
    drop(lock);
    let began = planner::begin(&run().plan, Arm::default(), NOW_MS);
    let (mut run, records) = watching();
    let records: Vec<Record> = began.record.into_iter().chain(records).collect();
    journal.write(&mut run, &records).unwrap();
    // A process died between the two writes of a turn: its records are there, its state isn't.
    let written = std::fs::read(folder.path().join("r.json")).unwrap();
    let bad = look(&run, evidence(10.0, (200, 200), (1800, 0)), &[], None, NOW_MS + 120_000);
    journal.write(&mut bad.run.clone(), &bad.records).unwrap();
    std::fs::write(folder.path().join("r.json"), written).unwrap();
    let mut found = journal.load().unwrap().unwrap();
    assert_eq!(found, run);
    let again = look(&found, evidence(10.0, (100, 100), (900, 0)), &[], None, NOW_MS + 130_000);
    found = again.run;
    journal.write(&mut found, &again.records).unwrap();
    let all = journal.records(&found).unwrap();
    assert_eq!(all.len(), records.len() + 1);
    assert_eq!(planner::replay(&found.plan, &all).unwrap(), found.state);
}

#[test]
fn an_order_is_read_by_whoever_drives() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::new(folder.path(), "r");
    assert_eq!(journal.orders(0).unwrap(), []);
    journal.order(&order(Wanted::Pause)).unwrap();
    journal.order(&order(Wanted::Abort)).unwrap();
    assert_eq!(journal.orders(1).unwrap(), [order(Wanted::Abort)]);
}

#[test]
fn a_question_is_written_down_and_its_answer_is_heard() {
    let hook = |name: &str, point: &str| json!({"name": name, "point": point, "whom": {"function": "f"}});
    let hooks = json!([hook("first", "before_rollout"), hook("told", "after_rollout")]);
    let mut draft = serde_json::to_value(&run().plan).unwrap();
    draft["hooks"] = hooks;
    let plan: Plan = serde_json::from_value(draft).unwrap();
    let mut run = Run { state: planner::begin(&plan, Arm::default(), NOW_MS).state, plan, ..run() };
    let asked = look(&run, Evidence::default(), &[], None, NOW_MS);
    assert!(!asked.is_idle, "a question is worth writing down");
    run = asked.run;
    assert!(look(&run, Evidence::default(), &[], None, NOW_MS + 1).is_idle, "waiting for it is not");
    let number = run.state.question().unwrap().number;
    let answer = |number, word| HookAnswer { number, call: 1, word, words: Note::default() };
    let evidence = Evidence { hooks: vec![answer(number, HookWord::Stop)], ..Evidence::default() };
    let ended = look(&run, evidence, &[], None, NOW_MS + 2);
    assert_eq!((ended.is_idle, ended.run.exit_code()), (false, Some(10)));
    let told = farewell(&ended.run, Vec::new(), NOW_MS + 3);
    assert!(!told.is_idle && !told.run.state.is_over(&told.run.plan));
    let number = told.run.state.question().unwrap().number;
    let over = farewell(&told.run, vec![answer(number, HookWord::Go)], NOW_MS + 4);
    assert!(over.run.state.is_over(&over.run.plan));
    assert!(farewell(&over.run, Vec::new(), NOW_MS + 5).is_idle);
}
