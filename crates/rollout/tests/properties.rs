//! Whatever happens, in whatever order: no panic, no promotion without evidence or order, no veto overheard, no step
//! with an old generation, an end, and the same again from the records.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use pitbird_analysis::{Arm, Bucket, Firsts, Pairs, Verdict};
use pitbird_names::Percent;
use pitbird_rollout::{
    Action, Alarm, AlarmState, BLOCK_MS_MAX, Check, Command, Evidence, Guardrails, HISTORY_MAX, Judged,
    MOVES_MAX, Note, Observed, ObservedFirsts, Phase, Plan, RETURNS_MAX, Ramp, RampStep, Reason, Record,
    Rules, State, Step, Target, TargetKind, Turn, applied, begin, next, refused, replay,
};
use proptest::prelude::*;

const BEGAN_MS: u64 = 1_000_000;

/// What may happen, in rough terms; the test makes it exact when it knows the state.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "few at a time, and most of them are looks")]
enum Happening {
    Look {
        after_ms: u64,
        evidence: Evidence,
        commands: Vec<Command>,
    },
    /// The newest generation less this much.
    Applied {
        back: u64,
    },
    Refused {
        back: u64,
    },
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let percents =
        prop_oneof![Just(vec![10, 50, 100]), Just(vec![1, 5, 25]), Just(vec![50, 100]), Just(vec![90])];
    let margin = prop_oneof![Just(0.005), Just(0.05), Just(0.2)];
    let more = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (percents, margin, 0..4000_u64, 1..50_u64, more).prop_map(
        |(percents, margin, wait_ms, canary_requests_min, more)| {
            let (has_ramp, users, has_guardrail, pairs) = more;
            let step = |percent: i32| RampStep {
                percent: Percent::new(percent.into()).unwrap(),
                wait_ms,
                gate: percent == 10,
            };
            let rules = Rules {
                margin,
                canary_requests_min,
                max_duration_ms: 30_000,
                deadline_ms: 5_000,
                alarms: vec!["errors".into()],
                checks: vec!["smoke".into()],
                ..Rules::default()
            };
            let target = Target { kind: TargetKind::FunctionAlias, description: "f:live".into() };
            let plan = Plan::new(target, percents.into_iter().map(step).collect(), rules).unwrap();
            let judged = Judged { users, pairs, ..Judged::default() };
            let plan = plan.with(has_ramp.then(Ramp::default), judged).unwrap();
            let error_rate = has_guardrail.then_some(0.05);
            plan.guarded(Guardrails { error_rate, ..Guardrails::default() }).unwrap()
        },
    )
}

fn arm() -> impl Strategy<Value = Arm> {
    let arm = |(requests, errors): (u64, u64)| Arm::new(requests, errors.min(requests)).unwrap();
    prop_oneof![
        8 => (0..400_u64, Just(0_u64)).prop_map(arm),
        2 => (0..400_u64, 0..3_u64).prop_map(arm),
        1 => (any::<u64>(), any::<u64>()).prop_map(arm),
    ]
}

fn first_failures((canary, base): (u64, u64)) -> ObservedFirsts {
    ObservedFirsts { percent: Percent::new(10.0).unwrap(), route: None, firsts: Firsts { canary, base } }
}

/// Also such as nobody can have counted.
fn any_pairs() -> impl Strategy<Value = Pairs> {
    let pairs = |(pairs, canary_alone, base_alone)| Pairs { pairs, canary_alone, base_alone };
    prop_oneof![
        4 => Just(Pairs::default()),
        4 => (0..3_000_u64, Just(0_u64), 0..2_u64).prop_map(pairs),
        2 => (0..40_u64, 0..4_u64, 0..3_u64).prop_map(pairs),
        1 => (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(pairs),
    ]
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let percent = prop_oneof![Just(0.0), Just(1.0), Just(10.0), Just(50.0), Just(90.0), Just(100.0)];
    let observed = (percent, arm(), arm()).prop_map(|(percent, canary, base)| Observed {
        percent: Percent::new(percent).unwrap(),
        bucket: Bucket { canary, base },
    });
    let state = prop_oneof![
        1 => Just(None),
        12 => Just(Some(AlarmState::Ok)),
        2 => Just(Some(AlarmState::InsufficientData)),
        1 => Just(Some(AlarmState::Alarm)),
    ];
    let environments = prop_oneof![4 => Just(None), 1 => (0..4_u32).prop_map(Some)];
    let firsts = prop::collection::vec((0..4_u64, prop_oneof![0..4_u64, any::<u64>()]), 0..2);
    let users = (firsts, prop::bool::weighted(0.2));
    (prop::collection::vec(observed, 0..3), state, environments, 0..40_u8, users, any_pairs()).prop_map(
        |(buckets, state, failing_environments, check, (firsts, has_forgotten), pairs)| Evidence {
            pairs,
            buckets,
            firsts: firsts.into_iter().map(first_failures).collect(),
            has_forgotten,
            alarms: state.map(|state| Alarm { name: "errors".into(), state }).into_iter().collect(),
            checks: vec![Check { name: "smoke".into(), passed: check > 0 }],
            failing_environments,
            ..Evidence::default()
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    let action = prop_oneof![
        3 => Just(Action::Pause),
        6 => Just(Action::Resume),
        1 => Just(Action::Abort),
        1 => Just(Action::Promote { reason: "so ordered".into() }),
    ];
    (0..12_u64, action).prop_map(|(number, action)| Command { number, by: "ann".into(), action })
}

fn happening() -> impl Strategy<Value = Happening> {
    let commands = prop_oneof![6 => Just(Vec::new()), 1 => prop::collection::vec(command(), 1..3)];
    prop_oneof![
        6 => (0..2000_u64, evidence(), commands)
            .prop_map(|(after_ms, evidence, commands)| Happening::Look { after_ms, evidence, commands }),
        5 => (0..2_u64).prop_map(|back| Happening::Applied { back }),
        1 => (0..20_u64).prop_map(|back| Happening::Refused { back }),
    ]
}

fn happens(plan: &Plan, state: &State, now_ms: u64, happening: &Happening) -> Turn {
    let generation = |back: u64| state.generation().saturating_sub(back);
    match happening {
        Happening::Look { evidence, commands, .. } => next(plan, state, evidence, commands, now_ms),
        Happening::Applied { back } => applied(plan, state, generation(*back), now_ms),
        // Rarely about the newest: a refusal ends too many stories.
        Happening::Refused { back } => refused(plan, state, generation(19 - back), Note::from("no"), now_ms),
    }
}

fn check_turn(plan: &Plan, before: &State, turn: &Turn, happening: &Happening) -> Result<(), TestCaseError> {
    let after = &turn.state;
    prop_assert!(after.generation() == before.generation() || after.generation() == before.generation() + 1);
    prop_assert!(after.now_ms() >= before.now_ms());
    prop_assert!(after.decisions().count() <= HISTORY_MAX);
    prop_assert_eq!(&turn.step, &after.step(plan));
    if let Step::WaitUntil { at_ms } = turn.step {
        prop_assert!(at_ms > after.now_ms() && at_ms <= after.now_ms() + plan.rules().interval_ms);
    }
    let Some(record) = &turn.record else {
        prop_assert_eq!(before, after);
        return Ok(());
    };
    prop_assert!(before.outcome().is_none(), "an end is the end");
    let full = |phase: &Phase| match phase {
        Phase::Promoting => true,
        Phase::Shifting { step } => plan.steps()[*step].percent.get() == 100.0,
        _ => false,
    };
    if full(after.phase()) && !full(before.phase()) {
        let judged = after.judgement(plan).verdict == Verdict::NotWorse;
        let ordered = matches!(record.reason, Reason::Ordered { .. });
        prop_assert!(judged || ordered, "{:?}", record.reason);
    }
    let at_work = !matches!(before.phase(), Phase::Pending | Phase::RollingBack { .. });
    if let Happening::Look { evidence, .. } = happening {
        let rings = evidence.alarms.iter().any(|alarm| alarm.state == AlarmState::Alarm);
        if at_work && rings {
            prop_assert!(matches!(after.phase(), Phase::RollingBack { .. }), "{:?}", record.reason);
        }
        let seen = after.firsts().map_or(after.seen().canary.events(), |firsts| firsts.canary);
        if at_work && seen >= 5 && after.guardrails(plan).iter().any(|found| found.is_broken()) {
            prop_assert!(matches!(after.phase(), Phase::RollingBack { .. }), "{:?}", record.reason);
        }
        if at_work && seen >= 5 && after.judgement(plan).verdict == Verdict::Worse {
            prop_assert!(matches!(after.phase(), Phase::RollingBack { .. }), "{:?}", record.reason);
        }
    }
    Ok(())
}

/// Read back from what an executor would have written.
fn crashed(state: &State) -> State {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn nothing_that_happens_breaks_a_promise(
        plan in any_plan(), history in arm(), story in prop::collection::vec(happening(), 1..60),
    ) {
        let first = begin(&plan, history, BEGAN_MS);
        let (mut state, mut resumed) = (first.state.clone(), crashed(&first.state));
        let mut records: Vec<Record> = first.record.into_iter().collect();
        let mut now_ms = BEGAN_MS;
        for happening in &story {
            if let Happening::Look { after_ms, .. } = happening {
                now_ms += after_ms;
            }
            let turn = happens(&plan, &state, now_ms, happening);
            check_turn(&plan, &state, &turn, happening)?;
            let again = happens(&plan, &resumed, now_ms, happening);
            prop_assert_eq!(&again.record, &turn.record);
            (state, resumed) = (turn.state, crashed(&again.state));
            records.extend(turn.record);
        }

        // From here on nobody calls, and the target does what it is told: it must come to an end.
        for _ in 0..100 {
            now_ms += 1000;
            let turn = applied(&plan, &state, state.generation(), now_ms);
            records.extend(turn.record);
            let turn = next(&plan, &turn.state, &Evidence::default(), &[], now_ms);
            records.extend(turn.record);
            state = turn.state;
        }
        prop_assert!(state.outcome().is_some(), "{:?}", state.phase());

        let text = serde_json::to_string(&records).unwrap();
        let read: Vec<Record> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let replayed = replay(&plan, &read).unwrap();
        prop_assert_eq!(serde_json::to_string(&replayed).unwrap(), serde_json::to_string(&state).unwrap());
    }
}

#[test]
fn records_that_were_tampered_with_do_not_replay() {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let plan = Plan::standard(target.clone()).unwrap();
    let first = begin(&plan, Arm::default(), BEGAN_MS);
    let second = next(&plan, &first.state, &Evidence::default(), &[], BEGAN_MS + 1000);
    let records: Vec<Record> = [first.record, second.record].into_iter().flatten().collect();
    assert_eq!(replay(&plan, &records), Ok(second.state));

    let mut changed = records.clone();
    changed[1].numbers.log_e_worse = 9.0;
    assert!(replay(&plan, &changed).is_err());
    assert!(replay(&plan, &records[1..]).is_err());
    let other = Plan::new(target, plan.steps().to_vec(), Rules { margin: 0.01, ..Rules::default() }).unwrap();
    assert!(replay(&other, &records).is_err());
}

#[test]
fn a_rollout_of_days_stays_small() {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let rules = Rules { max_duration_ms: 7 * 24 * 3_600_000, ..Rules::default() };
    let plan = Plan::new(target, pitbird_rollout::plan::standard_steps(), rules).unwrap();
    let turn = begin(&plan, Arm::default(), BEGAN_MS);
    let mut state = next(&plan, &turn.state, &Evidence::default(), &[], BEGAN_MS).state;
    state = applied(&plan, &state, 1, BEGAN_MS).state;
    let bucket = Bucket::new(1, 0, 9, 0).unwrap();
    let observed = Observed { percent: Percent::new(10.0).unwrap(), bucket };
    let evidence = Evidence { buckets: vec![observed], ..Evidence::default() };
    for hour in 1..=90 {
        state = next(&plan, &state, &evidence, &[], BEGAN_MS + hour * 3_600_000).state;
    }
    let bytes = serde_json::to_string(&state).unwrap().len();
    assert!(bytes < 64 * 1024, "{bytes}");
}

#[test]
fn notes_are_cut_at_a_whole_letter() {
    let note = Note::from("ö".repeat(200));
    assert_eq!(note.as_str().len(), Note::BYTES_MAX);
    let read: Note = serde_json::from_str(&format!("\"{}\"", "x".repeat(300))).unwrap();
    assert_eq!(read.as_str().len(), Note::BYTES_MAX);
}

#[test]
fn old_decisions_are_forgotten() {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let plan = Plan::standard(target).unwrap();
    let mut state = begin(&plan, Arm::default(), BEGAN_MS).state;
    for number in 1..=2 * HISTORY_MAX as u64 {
        let action = if number % 2 == 1 { Action::Pause } else { Action::Resume };
        let command = Command { number, by: "ann".into(), action };
        state = next(&plan, &state, &Evidence::default(), &[command], BEGAN_MS).state;
    }
    assert_eq!(state.decisions().count(), HISTORY_MAX);
    assert!(state.decisions().all(|decision| decision.reason != Reason::Began));
}

/// As an older version wrote it: no latency, no routes, no course, no test of all draws, and each start kept apart.
#[test]
fn a_state_of_an_older_version_goes_on() {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let plan = Plan::standard(target).unwrap();
    let mut state = begin(&plan, Arm::default(), BEGAN_MS).state;
    state = next(&plan, &state, &Evidence::default(), &[], BEGAN_MS).state;
    state = applied(&plan, &state, 1, BEGAN_MS).state;
    let mut old = serde_json::to_value(&state).unwrap();
    old.as_object_mut().unwrap().remove("course").unwrap();
    old["judge"].as_object_mut().unwrap().remove("broken").unwrap();
    old["judge"]["worse"] = serde_json::json!({"first": "0".repeat(16 * 24), "later": []});
    let mut state: State = serde_json::from_value(old).unwrap();
    assert!(state.belongs_to(&plan));
    let bucket = Bucket::new(100, 60, 900, 0).unwrap();
    let buckets = vec![Observed { percent: Percent::new(10.0).unwrap(), bucket }];
    state = next(&plan, &state, &Evidence { buckets, ..Evidence::default() }, &[], BEGAN_MS + 1000).state;
    assert!(matches!(state.phase(), Phase::RollingBack { .. }), "{:?}", state.phase());
}

/// A rollout with a ramp at a thousand requests a second, second by second; `errors` of the canary's are failures.
fn seconds(plan: &Plan, count: u64, errors: impl Fn(u64, &State) -> f64) -> (State, u32) {
    let mut turn = begin(plan, Arm::default(), BEGAN_MS);
    let mut retreats = 0;
    for second in 1..=count {
        let now_ms = BEGAN_MS + 1000 * second;
        turn = applied(plan, &turn.state, turn.state.generation(), now_ms);
        let weight = turn.state.weight();
        let canary = (1000.0 * weight.get() / 100.0) as u64;
        let failed = (canary as f64 * errors(second, &turn.state)) as u64;
        // The base fails now and then, so that the canary's bad seconds prove little.
        let base = 1000 - canary;
        let bucket = Bucket::new(canary, failed, base, base / 500).unwrap();
        let evidence =
            Evidence { buckets: vec![Observed { percent: weight, bucket }], ..Evidence::default() };
        turn = next(plan, &turn.state, &evidence, &[], now_ms);
        let reason = turn.record.as_ref().map(|record| record.reason.clone());
        retreats += u32::from(matches!(reason, Some(Reason::Retreating { .. })));
    }
    (turn.state, retreats)
}

#[test]
fn a_canary_that_fails_again_and_again_is_not_returned_to_for_ever() {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let steps = [(50.0, 1_000), (95.0, 3_600_000)]
        .map(|(percent, wait_ms)| RampStep::new(Percent::new(percent).unwrap(), wait_ms));
    let plan = Plan::new(target, steps.to_vec(), Rules::default()).unwrap();
    let plan = plan.with(Some(Ramp::default()), Judged::default()).unwrap();
    // Only with most of the traffic, and only for a second.
    let (state, retreats) =
        seconds(&plan, 5_000, |_, state| if state.weight().get() > 50.0 { 0.035 } else { 0.0 });
    assert_eq!((retreats, state.outcome()), (RETURNS_MAX + 1, None));
    assert_eq!(state.weight().get(), 50.0);
}

#[test]
fn a_ramp_moves_so_often_and_no_oftener() {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let steps = [(50.0, 20_000_000), (95.0, 1_000)]
        .map(|(percent, wait_ms)| RampStep::new(Percent::new(percent).unwrap(), wait_ms));
    let plan = Plan::new(target, steps.to_vec(), Rules::default()).unwrap();
    let plan = plan.with(Some(Ramp::default()), Judged::default()).unwrap();
    // Traffic comes and goes a thousandfold, so that the weight would follow for ever.
    let mut turn = begin(&plan, Arm::default(), BEGAN_MS);
    let mut moves = 0;
    for second in 1..=3_000_u64 {
        let now_ms = BEGAN_MS + 1000 * second;
        turn = applied(&plan, &turn.state, turn.state.generation(), now_ms);
        let many = if second / 60 % 2 == 0 { 100 } else { 100_000 };
        let weight = turn.state.weight();
        let canary = (many as f64 * weight.get() / 100.0).round() as u64;
        let bucket = Bucket::new(canary, 0, many - canary, 0).unwrap();
        let buckets = vec![Observed { percent: weight, bucket }];
        turn = next(&plan, &turn.state, &Evidence { buckets, ..Evidence::default() }, &[], now_ms);
        moves += u32::from(matches!(turn.state.phase(), Phase::Shifting { .. }));
    }
    assert_eq!(moves, MOVES_MAX + 1, "the first shift, and then its moves");
}

#[test]
fn a_bucket_of_few_requests_is_judged_in_the_end() {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let plan = Plan::adaptive(target).unwrap();
    let mut turn = begin(&plan, Arm::default(), BEGAN_MS);
    let mut seen = Vec::new();
    // A request in a hundred seconds: a canary request is due once in three hours.
    for second in 1..=2 * BLOCK_MS_MAX / 1000 + 10 {
        let now_ms = BEGAN_MS + 1000 * second;
        turn = applied(&plan, &turn.state, turn.state.generation(), now_ms);
        let bucket = Bucket::new(0, 0, u64::from(second % 100 == 0), 0).unwrap();
        let buckets = vec![Observed { percent: turn.state.weight(), bucket }];
        turn = next(&plan, &turn.state, &Evidence { buckets, ..Evidence::default() }, &[], now_ms);
        let requests = turn.state.seen().base.requests();
        if seen.last().is_none_or(|(_, last)| *last != requests) {
            seen.push((1000 * second, requests));
        }
    }
    assert!(seen.len() >= 2 && seen.last().unwrap().1 >= 6, "{seen:?}");
    assert!(seen.windows(2).all(|pair| pair[1].0 - pair[0].0 <= BLOCK_MS_MAX + 1000), "{seen:?}");
}
