use std::sync::Arc;

use super::*;

const PETS: (&str, &str) = ("GET", "/pets");
const LIMITS: Limits = Limits { base: [1_000, 2_000, 3_000, 4_000], canary: [1_100, 2_200, 3_300, 4_400] };

fn spec(routes: &[&str]) -> Spec {
    let routes = routes.iter().map(|route| (*route).to_owned()).collect();
    Spec { routes, is_timed: true, ..Spec::default() }
}

fn watch(spec: Spec) -> Arc<Watch> {
    Arc::new(Watch { tally: Arc::new(Tally::new(spec)), base: 0, canary: 1, route: None })
}

fn request(arm: u64, latency_us: u64) -> Request<'static> {
    Request {
        arm,
        route: Some(PETS),
        latency_us,
        is_cold: false,
        is_failure: false,
        client: None,
        environment: None,
        drawn: None,
    }
}

#[test]
fn an_arm_is_measured_by_its_own_thresholds() {
    let watch = watch(spec(&["GET /pets"]));
    let tally = &watch.tally;
    assert!(tally.freeze(LIMITS, vec![LIMITS]) && !tally.freeze(LIMITS, vec![LIMITS]), "frozen once");
    for arm in [0, 1, 2] {
        for latency_us in [900, 1_000, 1_050, 1_100, 2_300, 5_000] {
            watch.record(&request(arm, latency_us));
        }
    }
    let Arms { base, canary } = tally.read().all;
    assert_eq!((base.warm(), base.above()), (6, [4, 2, 1, 1]), "exactly at a threshold isn't above it");
    assert_eq!((canary.warm(), canary.above()), (6, [2, 2, 1, 1]));
    assert_eq!(tally.read().routes, [tally.read().all]);
}

#[test]
fn thresholds_must_be_there_for_each_route() {
    let watch = watch(spec(&["GET /pets"]));
    let tally = &watch.tally;
    assert!(!tally.freeze(LIMITS, Vec::new()) && !tally.is_frozen());
}

#[test]
fn warm_requests_above_each_limit_are_counted() {
    let ceilings_us = vec![3_000, 1_000, 3_000, 9_000, 1];
    let watch = watch(Spec { ceilings_us, ..Spec::default() });
    let tally = &watch.tally;
    for latency_us in [900, 1_000, 1_001, 3_001, 9_001] {
        watch.record(&request(1, latency_us));
    }
    watch.record(&Request { is_cold: true, ..request(1, 90_000) });
    watch.record(&request(0, 2_000));
    watch.record(&request(7, 90_000));
    let told = tally.read().beyond;
    assert_eq!(told.canary, (5, [2, 3, 2, 1]), "in the order given; exactly at a limit isn't above it");
    assert_eq!(told.base, (1, [0, 1, 0, 0]));
    watch.record(&request(1, 4_000));
    assert_eq!(tally.read().beyond.since(told).canary, (1, [1, 1, 1, 0]));
    let none = self::watch(spec(&[]));
    none.record(&request(1, 90_000));
    assert!(none.tally.read().beyond.is_empty(), "nobody asked");
}

#[test]
fn cold_starts_and_failures_are_told_apart() {
    let watch = watch(spec(&[]));
    let tally = &watch.tally;
    watch.record(&Request { is_cold: true, is_failure: true, ..request(1, 9) });
    watch.record(&Request { is_failure: true, ..request(1, 9) });
    watch.record(&request(1, 9));
    let canary = tally.read().all.canary;
    assert_eq!((canary.requests(), canary.failures(), canary.cold(), canary.warm()), (3, 2, 1, 2));
    assert_eq!(canary.since(canary), Classes::default());
}

#[test]
fn the_base_s_history_ends_with_the_thresholds() {
    let watch = watch(spec(&["GET /pets"]));
    let tally = &watch.tally;
    watch.record(&Request { is_cold: true, ..request(0, 90_000) });
    watch.record(&request(1, 90_000));
    (1..=1000).for_each(|step| watch.record(&request(0, step * 10)));
    for (route, width) in [(None, 1.04), (Some(0), 1.13)] {
        let history = tally.history(route).unwrap();
        assert_eq!(history.requests(), 1000);
        for quantile in [0.5, 0.9, 0.99, 0.999] {
            let found = history.quantile_us(quantile).unwrap() as f64;
            let wanted = quantile * 10_000.0;
            assert!((wanted..=wanted * width).contains(&found), "{quantile}: {found}");
        }
    }
    assert!(tally.history(Some(1)).is_none());
    let held = tally.history(None).unwrap();
    tally.freeze(LIMITS, vec![LIMITS]);
    watch.record(&request(0, 90_000));
    assert_eq!(
        (held.requests(), tally.history(None).is_none(), tally.history(Some(0)).is_none()),
        (1000, true, true)
    );
    assert!(Tally::new(Spec::default()).history(None).is_none(), "nobody will ask");
    assert_eq!(Tally::new(spec(&[])).history(None).unwrap().quantile_us(0.5), None);
}

#[test]
fn latencies_beyond_the_histogram_count_at_its_ends() {
    let watch = watch(spec(&[]));
    let tally = &watch.tally;
    [0, 1, u64::MAX].into_iter().for_each(|latency_us| watch.record(&request(0, latency_us)));
    let history = tally.history(None).unwrap();
    assert_eq!(history.quantile_us(0.5), Some(65));
    assert_eq!(history.quantile_us(1.0), Some((1 << 27) - 1));
}

#[test]
fn a_verb_s_own_route_goes_before_that_of_any_verb() {
    let watch = watch(spec(&["ANY /pets", "GET /pets", "GET /toys"]));
    let tally = &watch.tally;
    for route in [("GET", "/pets"), ("PUT", "/pets"), ("PUT", "/toys"), ("GET", "/others")] {
        watch.record(&Request { route: Some(route), ..request(0, 1) });
    }
    watch.record(&Request { route: None, ..request(0, 1) });
    let counted = tally.read();
    assert_eq!(counted.routes.iter().map(|arms| arms.base.requests()).collect::<Vec<_>>(), [1, 1, 0]);
    assert_eq!(counted.all.base.requests(), 5);
}

#[test]
fn only_so_many_routes_and_sources_are_told_apart() {
    let names: Vec<String> = (0..60).map(|number| format!("GET /{number}")).collect();
    let watch = watch(Spec { routes: names, ..Spec::default() });
    let tally = &watch.tally;
    assert_eq!(tally.read().routes.len(), ROUTES_MAX);
    assert_eq!(tally.read().failing_clients, None, "nothing has failed");
    let fail = |client| {
        let environment = client;
        watch.record(&Request { is_failure: true, client, environment, ..request(1, 1) });
        tally.read().failing_clients
    };
    assert_eq!([fail(Some(0)), fail(Some(7)), fail(Some(7))], [Some(1), Some(2), Some(2)]);
    assert!((0..100).all(|client| fail(Some(client)) <= Some(8)));
    assert_eq!(fail(Some(1000)), Some(8));
    assert_eq!(fail(None), None, "it may have been any");
}

#[test]
fn where_clients_keep_their_arm_the_first_failure_of_each_counts() {
    let drawn = |share, user| Some(Drawn { percent: pitbird_names::Percent::new(share).unwrap(), user });
    let failure = |arm, drawn| Request { is_failure: true, client: Some(1), drawn, ..request(arm, 1) };
    let by_user = watch(Spec { is_by_user: true, ..spec(&["GET /pets"]) });
    let tally = &by_user.tally;
    by_user.record(&failure(1, drawn(10.0, Some(1))));
    assert!(tally.read().firsts.unwrap().is_empty(), "of another weight");
    tally.weigh(pitbird_names::Percent::new(10.0).unwrap());
    for (arm, user) in [(1, 1), (1, 1), (1, 2), (0, 3), (7, 4)] {
        by_user.record(&failure(arm, drawn(10.0, Some(user))));
        by_user.record(&Request { is_failure: false, ..failure(arm, drawn(10.0, Some(100 + user))) });
    }
    by_user.record(&failure(0, None));
    let told = tally.read();
    let firsts = told.firsts.clone().unwrap();
    assert_eq!(
        (firsts.all, &firsts.routes),
        (Failed { base: 1, canary: 2 }, &vec![Failed { base: 1, canary: 2 }])
    );
    assert_eq!(
        (told.all.canary.failures(), told.failing_clients),
        (4, Some(2)),
        "not by where they come from"
    );
    tally.weigh(pitbird_names::Percent::new(10.0).unwrap());
    assert_eq!(tally.read(), told, "nothing has changed");
    tally.forget();
    by_user.record(&failure(1, drawn(10.0, Some(1))));
    assert_eq!(tally.read().firsts.unwrap().since(Some(&firsts)).all, Failed { base: 0, canary: 1 });

    let by_request = watch(spec(&[]));
    (1..4).for_each(|user| by_request.record(&failure(1, drawn(0.0, Some(user)))));
    let told = by_request.tally.read();
    assert_eq!((told.firsts, told.failing_clients), (None, Some(1)), "nobody asked");
}

#[test]
fn fifty_routes_take_less_than_32_kib_once_thresholds_are_frozen() {
    let histories = |bits: u32| ((27 - 6) << bits) * 4;
    let cells = (ROUTES_MAX + 1) * (std::mem::size_of::<Cell>() + std::mem::size_of::<Limits>());
    let frozen = cells + std::mem::size_of::<Tally>();
    // Names are short, or there are few long ones; they are in there once.
    assert!(frozen + ROUTES_MAX * 100 < 32 << 10, "{frozen}");
    let learning = frozen + histories(FINE_BITS) + ROUTES_MAX * histories(COARSE_BITS);
    assert!(learning + ROUTES_MAX * 100 < 64 << 10, "{learning}");
}

#[test]
fn a_slot_asks_only_while_somebody_counts() {
    let slots = Slots::default();
    let subject = |api: &str| Subject::Stage { api_id: api.to_owned(), stage: "prod".to_owned() };
    let slot = slots.of(subject("a"));
    slot.record(|| panic!("nobody counts"));
    let (first, second) = (watch(spec(&[])), watch(spec(&[])));
    slot.put(first.clone());
    slots.of(subject("a")).record(|| request(0, 1));
    slots.of(subject("b")).record(|| panic!("somebody else's"));
    assert_eq!(first.tally.read().all.base.requests(), 1);
    slot.put(second.clone());
    slot.take(&first);
    assert!(slot.watch().is_some(), "the second one's");
    slot.take(&second);
    assert!(slot.watch().is_none());
}

#[test]
fn slots_that_nobody_holds_are_forgotten() {
    let slots = Slots::default();
    let of = |number: usize| slots.of(Subject::Stage { api_id: number.to_string(), stage: String::new() });
    let held = of(0);
    held.put(watch(spec(&[])));
    (0..10_000).for_each(|number| drop(of(number)));
    assert!(slots.known() <= 512, "{}", slots.known());
    assert!(of(0).watch().is_some());
}

#[test]
fn one_tally_watches_several_subjects_each_with_its_own_numbers() {
    let slots = Slots::default();
    let of = |function: &str| {
        let (function, alias) = (function.to_owned(), "live".to_owned());
        slots.of(Subject::Alias { scope: pitbird_names::Scope::default(), function, alias })
    };
    let tally = Arc::new(Tally::new(spec(&["orders", "carts"])));
    tally.freeze(LIMITS, vec![LIMITS, Limits { base: [100; 4], canary: [100; 4] }]);
    for (route, (function, base, canary)) in [("orders", 6, 7), ("carts", 2, 6)].into_iter().enumerate() {
        let tally = tally.clone();
        of(function).put(Arc::new(Watch { tally, base, canary, route: Some(route) }));
    }
    for arm in [6, 7, 2] {
        of("orders").record(|| request(arm, 900));
        of("carts").record(|| Request { is_failure: true, ..request(arm, 900) });
    }
    let Counted { all, routes, .. } = tally.read();
    let requests = |arms: Arms| (arms.base.requests(), arms.canary.requests());
    assert_eq!((requests(routes[0]), requests(routes[1]), requests(all)), ((1, 1), (1, 1), (2, 2)));
    assert_eq!((routes[0].canary.failures(), routes[1].canary.failures()), (0, 1));
    assert_eq!((routes[0].canary.above()[0], routes[1].canary.above()[0]), (0, 1), "by its own thresholds");
}

#[test]
fn whoever_answers_second_counts_the_pair() {
    let watch = watch(Spec { has_pairs: true, ..Spec::default() });
    let slot = Slot::default();
    assert!(slot.pair().is_none(), "nobody watches");
    slot.put(watch.clone());
    let pair = || slot.pair().expect("pairs are wanted");
    let outcomes = [(false, false), (true, true), (false, true), (true, false), (false, true)];
    for (number, (base_failed, canary_failed)) in outcomes.into_iter().enumerate() {
        let pair = pair();
        let mut answers = [(false, base_failed), (true, canary_failed)];
        if number % 2 == 0 {
            answers.reverse();
        }
        let before = watch.tally.read().pairs;
        pair.answered(answers[0].0, answers[0].1);
        assert_eq!(watch.tally.read().pairs, before, "half a pair is none");
        pair.answered(answers[0].0, answers[0].1);
        assert_eq!(watch.tally.read().pairs, before, "an arm that answers twice is no pair either");
        pair.answered(answers[1].0, answers[1].1);
        pair.answered(answers[1].0, answers[1].1);
        assert!(!watch.tally.read().pairs.since(before).is_empty());
    }
    let paired = Paired { alike: 2, canary_alone: 2, base_alone: 1 };
    assert_eq!(watch.tally.read().pairs, paired);
    assert_eq!(paired.since(Paired { alike: 1, ..Paired::default() }), Paired { alike: 1, ..paired });
}

#[test]
fn both_arms_may_answer_at_once() {
    let watch = watch(Spec { has_pairs: true, ..Spec::default() });
    let slot = Slot::default();
    slot.put(watch.clone());
    let pairs: Vec<_> = (0..2_000).map(|_| slot.pair().expect("pairs are wanted")).collect();
    std::thread::scope(|scope| {
        for is_canary in [false, true] {
            scope.spawn({
                let pairs = &pairs;
                move || pairs.iter().for_each(|pair| pair.answered(is_canary, is_canary))
            });
        }
    });
    assert_eq!(watch.tally.read().pairs, Paired { canary_alone: 2_000, ..Paired::default() });
}

#[test]
fn pairs_that_nobody_wants_are_none() {
    let watch = watch(Spec::default());
    let slot = Slot::default();
    slot.put(watch.clone());
    assert!(slot.pair().is_none());
    watch.tally.pair(false, true);
    assert!(watch.tally.read().pairs.is_empty());
}
