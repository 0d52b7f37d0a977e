//! Requests that both arms answer: they are evidence where the plan says so, at any weight, and are nothing where it doesn't.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use pitbird_analysis::{Arm, Bucket, Pairs, Verdict, threshold};
use pitbird_names::Percent;
use pitbird_rollout::{
    Because, Evidence, Guardrails, Judged, Latency, Observed, Outcome, Phase, Plan, Ramp, RampStep, Reason,
    Rules, State, Target, TargetKind, Turn, applied, begin, next,
};

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

fn plan(judged: Judged) -> Plan {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let steps = vec![RampStep::new(percent(50.0), 60_000), RampStep::new(percent(95.0), 60_000)];
    Plan::new(target, steps, Rules::default()).unwrap().with(Some(Ramp::default()), judged).unwrap()
}

fn judging_pairs() -> Judged {
    Judged { pairs: true, ..Judged::default() }
}

fn pairs(pairs: u64, canary_alone: u64, base_alone: u64) -> Evidence {
    Evidence { pairs: Pairs { pairs, canary_alone, base_alone }, ..Evidence::default() }
}

/// Looks once a second, with a target that does at once what it is told, until it has ended or the evidence has.
fn look(plan: &Plan, evidence: impl IntoIterator<Item = Evidence>) -> (State, Vec<Reason>) {
    look_from(begin(plan, Arm::default(), 0), plan, evidence)
}

fn look_from(
    mut turn: Turn,
    plan: &Plan,
    evidence: impl IntoIterator<Item = Evidence>,
) -> (State, Vec<Reason>) {
    let mut reasons = Vec::new();
    for (second, evidence) in (1_u64..).zip(evidence) {
        turn = done(plan, turn, second * 1_000 - 500);
        if turn.state.outcome().is_some() {
            break;
        }
        turn = next(plan, &turn.state, &evidence, &[], second * 1_000);
        reasons.extend(turn.record.as_ref().map(|record| record.reason.clone()));
    }
    (turn.state, reasons)
}

fn done(plan: &Plan, turn: Turn, now_ms: u64) -> Turn {
    match turn.state.phase() {
        Phase::Shifting { .. } | Phase::Promoting | Phase::RollingBack { .. } => {
            applied(plan, &turn.state, turn.state.generation(), now_ms)
        }
        _ => turn,
    }
}

#[test]
fn a_good_version_without_any_traffic_is_promoted() {
    let plan = plan(judging_pairs());
    let (state, reasons) = look(&plan, (0..600).map(|_| pairs(5, 0, 0)));
    assert_eq!(state.outcome(), Some(Outcome::Promoted), "{:?}", reasons.last());
    assert!(state.now_ms() < 400_000, "{}", state.now_ms());
    assert_eq!(state.seen(), Bucket::default());
    let numbers = state.judgement(&plan);
    assert_eq!((numbers.verdict, numbers.pairs.unwrap().seen), (Verdict::NotWorse, state.pairs().unwrap()));
}

/// Large bets and most of the level are for rollouts that begin with them.
#[test]
fn a_rollout_of_before_ends_by_the_bets_and_levels_that_it_began_with() {
    let plan = plan(judging_pairs());
    let turn = begin(&plan, Arm::default(), 0);
    let mut written = serde_json::to_value(&turn.state).unwrap();
    assert_eq!(written["pairs"].as_object_mut().unwrap().remove("is_uneven"), Some(true.into()));
    let state = serde_json::from_value(written).unwrap();
    let verdict_ms = |turn: Turn| {
        let (state, _) = look_from(turn, &plan, (0..600).map(|_| pairs(5, 0, 0)));
        let full = state.decisions().find(|decision| decision.weight_new.get() > 50.0).unwrap().at_ms;
        (full, state.judgement(&plan).threshold_not_worse)
    };
    assert_eq!(verdict_ms(Turn { state, ..turn.clone() }), (296_000, threshold(0.005)));
    assert_eq!(verdict_ms(turn), (275_000, threshold(0.008)));
}

#[test]
fn pairs_are_nothing_unless_the_plan_judges_them() {
    let plan = plan(Judged::default());
    assert!(!serde_json::to_string(&plan).unwrap().contains("pairs"), "plans keep their fingerprints");
    let (with, _) = look(&plan, (0..100).map(|_| pairs(5, 5, 0)));
    let (without, _) = look(&plan, (0..100).map(|_| Evidence::default()));
    assert_eq!(with, without);
    assert!(with.pairs().is_none() && !serde_json::to_string(&with).unwrap().contains("pairs"));
}

#[test]
fn a_broken_version_is_rolled_back_within_seconds_and_the_reason_has_the_pairs() {
    let plan = plan(judging_pairs());
    let (state, _) = look(&plan, (0..10).map(|_| pairs(5, 5, 0)));
    let Phase::Ended { outcome, because: Some(because) } = state.phase() else {
        panic!("{:?}", state.phase())
    };
    assert_eq!(*outcome, Outcome::RolledBack);
    assert!(state.now_ms() <= 5_000, "{}", state.now_ms());
    let Because::Worse { pairs: Some(seen), .. } = because else { panic!("{because}") };
    assert_eq!(*seen, state.pairs().unwrap());
    assert!(
        because.to_string().contains("of 15 requests that both answered 15 failed on it alone"),
        "{because}"
    );
}

/// Four errors of one place convict nobody, however few pairs failed meanwhile; pairs that convict by themselves ask for no places.
#[test]
fn few_errors_of_one_place_wait_for_pairs_that_convict_by_themselves() {
    let plan = plan(judging_pairs());
    let errors = |second: u64, seen: Evidence| Evidence {
        buckets: vec![Observed {
            percent: percent(2.0),
            bucket: Bucket::new(4 * u64::from(second == 2), 4 * u64::from(second == 2), 196, 0).unwrap(),
        }],
        failing_environments: Some(1),
        ..seen
    };
    let (state, reasons) =
        look(&plan, (1..30).map(|second| errors(second, pairs(5, u64::from(second < 9), 0))));
    let held = |reason: &Reason| matches!(reason, Reason::OneEnvironment { events: 4 });
    assert!(
        matches!(state.phase(), Phase::Watching { .. }) && reasons.iter().any(held),
        "{:?}",
        state.phase()
    );
    let (state, _) = look(&plan, (1..30).map(|second| errors(second, pairs(5, 4, 0))));
    assert_eq!(state.outcome(), Some(Outcome::RolledBack), "{:?}", state.phase());
}

/// Latency and guardrails are the traffic's to show: without it such a plan waits, however many pairs there are.
#[test]
fn what_pairs_do_not_show_is_waited_for() {
    let latency = plan(Judged { latency: Some(Latency::default()), ..judging_pairs() });
    let (_, reasons) = look(&latency, (0..1_000).map(|_| pairs(5, 0, 0)));
    assert!(matches!(reasons.last(), Some(Reason::MoreLatency { .. })), "{:?}", reasons.last());
    let guarded = plan(judging_pairs());
    let guarded = guarded.guarded(Guardrails { error_rate: Some(0.05), ..Guardrails::default() }).unwrap();
    let (_, reasons) = look(&guarded, (0..1_000).map(|_| pairs(5, 0, 0)));
    assert!(matches!(reasons.last(), Some(Reason::GuardrailUnseen { .. })), "{:?}", reasons.last());
}

#[test]
fn a_canary_is_silent_when_its_pairs_have_ended_too() {
    let plan = plan(judging_pairs());
    let (_, reasons) = look(&plan, (0..600).map(|second| pairs(if second < 30 { 5 } else { 0 }, 0, 0)));
    assert!(matches!(reasons.last(), Some(Reason::Silent { .. })), "{:?}", reasons.last());
}

/// Counts that can't be read hold, pairs or not: then nobody knows what the traffic meets.
#[test]
fn what_could_not_be_read_holds() {
    let plan = plan(judging_pairs());
    let blind = |_| Evidence { is_blind: true, ..pairs(5, 0, 0) };
    let (state, reasons) = look(&plan, (0..600).map(blind));
    assert!(
        matches!(reasons.last(), Some(Reason::Blind)) && state.weight() <= percent(2.0),
        "{:?}",
        reasons.last()
    );
}
