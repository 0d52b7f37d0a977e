//! Where users keep their arm, the first failure of each is compared, by the configured weight.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use pitbird_analysis::{Arm, Bucket, Firsts};
use pitbird_names::Percent;
use pitbird_rollout::{
    Because, Evidence, Judged, Observed, ObservedFirsts, Phase, Plan, RampStep, Reason, Rules, State, Target,
    TargetKind, applied, begin, next,
};

const SHARE: f64 = 10.0;

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

fn plan(routes: &[&str]) -> Plan {
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let steps = vec![RampStep::new(percent(SHARE), 600_000), RampStep::new(percent(100.0), 0)];
    let routes = routes.iter().map(|route| (*route).to_owned()).collect();
    let judged = Judged { users: true, routes, ..Judged::default() };
    Plan::new(target, steps, Rules::default()).unwrap().with(None, judged).unwrap()
}

/// What a second brings at a tenth: half of the canary's requests fail, and so many users do for the first time.
fn second(canary: u64, base: u64, route: Option<&str>) -> Evidence {
    let bucket = Bucket::new(100, 50, 900, 0).unwrap();
    let of = |route: Option<String>| ObservedFirsts {
        percent: percent(SHARE),
        route,
        firsts: Firsts { canary, base },
    };
    let firsts = std::iter::once(None).chain(route.map(|route| Some(route.to_owned()))).map(of).collect();
    Evidence { buckets: vec![Observed { percent: percent(SHARE), bucket }], firsts, ..Evidence::default() }
}

fn shifted(plan: &Plan) -> State {
    let begun = next(plan, &begin(plan, Arm::default(), 0).state, &Evidence::default(), &[], 0);
    applied(plan, &begun.state, 1, 0).state
}

/// Looks at each second's evidence. The state after it, and its last reason.
fn look(plan: &Plan, seconds: impl IntoIterator<Item = Evidence>) -> (State, Reason) {
    let mut state = shifted(plan);
    let mut reason = Reason::Began;
    for (at, evidence) in (1..).zip(seconds) {
        let turn = next(plan, &state, &evidence, &[], at * 1_000);
        (state, reason) = (turn.state, turn.record.unwrap().reason);
    }
    (state, reason)
}

#[test]
fn one_user_s_many_failures_convict_nobody_and_break_no_split() {
    let plan = plan(&["GET /"]);
    let mut lopsided = second(1, 0, Some("GET /"));
    lopsided.buckets[0].bucket = Bucket::new(900, 900, 100, 0).unwrap();
    let (state, reason) = look(&plan, std::iter::once(lopsided).chain((0..300).map(|_| second(0, 0, None))));
    assert!(matches!(state.phase(), Phase::Watching { step: 0 }), "{reason}");
    assert!(!matches!(reason, Reason::SplitBroken { .. }), "{reason}");
    assert_eq!((state.firsts().unwrap().canary, state.seen().canary.events()), (1, 900 + 300 * 50));
}

#[test]
fn users_convict_by_the_weight_and_at_once() {
    let routes = ["GET /"];
    for (routes, route) in [(&[][..], None), (&routes[..], Some("GET /"))] {
        let plan = plan(routes);
        let (state, _) = look(&plan, [second(3, 0, route), second(2, 0, route)]);
        let Phase::RollingBack { because } = state.phase() else { panic!("{:?}", state.phase()) };
        let firsts = Firsts { canary: 5, base: 0 };
        match because {
            Because::Worse { firsts: Some(found), .. } => assert_eq!(*found, firsts),
            because => panic!("{because}"),
        }
        // Nine on the base and one on the canary are what a tenth leads to expect, and are no evidence.
        let (state, _) = look(&plan, (0..100).map(|_| second(1, 9, route)));
        assert!(matches!(state.phase(), Phase::Watching { .. }), "{:?}", state.phase());
    }
}

/// Of users, too: fewer than five are believed only if they met two environments. Their requests are many and don't count for that.
#[test]
fn few_users_need_two_environments() {
    let plan = plan(&[]);
    for (environments, users, holds) in [(1, 4, true), (2, 4, false), (1, 5, false)] {
        let evidence = Evidence { failing_environments: Some(environments), ..second(users, 0, None) };
        let (state, reason) = look(&plan, [evidence]);
        assert_eq!(matches!(reason, Reason::OneEnvironment { events } if events == users), holds, "{reason}");
        assert_eq!(matches!(state.phase(), Phase::RollingBack { .. }), !holds, "{:?}", state.phase());
    }
}

/// The same user once more after each forgetting: by one comparison these would be a dozen, by one each they are nothing.
#[test]
fn who_is_counted_again_is_counted_by_another_comparison() {
    let forgetful = |has_forgotten| move |_| Evidence { has_forgotten, ..second(1, 0, Some("GET /")) };
    let plan = plan(&["GET /"]);
    let (state, _) = look(&plan, (0..12).map(forgetful(true)));
    assert!(state.judgement(&plan).log_e_worse < 3.0 && matches!(state.phase(), Phase::Watching { .. }));
    let (state, _) = look(&plan, (0..12).map(forgetful(false)));
    assert!(matches!(state.phase(), Phase::RollingBack { .. }));
    // What had been gathered isn't lost, and those who fail now convict by themselves.
    let again = |at| Evidence { has_forgotten: at == 1, ..second(if at == 0 { 3 } else { 4 }, 0, None) };
    let (state, _) = look(&plan, [again(0), again(1), again(2)]);
    assert!(matches!(state.phase(), Phase::RollingBack { .. }), "{}", state.judgement(&plan).log_e_worse);
}
