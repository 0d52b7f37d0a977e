//! A small part of the simulation, on every change: enough runs to notice a planner that has become blind, hasty or
//! timid; too few to prove a tenth of a percent.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use pitbird_simulation::catalogue::{identical, identical_with_pairs, regressions, regressions_with_pairs};
use pitbird_simulation::ending::{End, Ending, quantile};
use pitbird_simulation::model::{Model, Shape};
use pitbird_simulation::ours::{self, Wish};
use pitbird_simulation::page::{self, Counts};
use pitbird_simulation::peers::{self, Peer};
use pitbird_simulation::runs::Runs;

const SEED: u64 = 7;

/// With a bake of ten seconds and twenty minutes at most, so that the test is brief.
fn releases(model: &Model, runs: u64) -> Vec<Ending> {
    let wish = Wish { bake_ms: 10_000, longest_ms: 1_200_000, ..page::wish(model) };
    let plan = wish.plan(model);
    (0..runs).map(|run| ours::release(model, &plan, SEED, run)).collect()
}

fn count(ends: &[Ending], end: End) -> usize {
    ends.iter().filter(|ending| ending.end == end).count()
}

fn fault(name: &str) -> Model {
    regressions().into_iter().find(|model| model.name == name).unwrap()
}

fn extra(ends: &[Ending], p: f64) -> f64 {
    let numbers: Vec<f64> = ends.iter().map(|ending| ending.extra_failures).collect();
    quantile(&numbers, p).unwrap().value
}

#[test]
fn an_identical_version_is_never_rolled_back() {
    for model in identical().iter().filter(|model| model.per_second >= 10.0) {
        let ends = releases(model, 6);
        assert_eq!(count(&ends, End::RolledBack), 0, "{}", model.name);
        if model.shape == Shape::Steady && model.errors <= 0.001 {
            assert_eq!(count(&ends, End::Promoted), ends.len(), "{}", model.name);
        }
        if model.shape == Shape::Skewed {
            assert_eq!(count(&ends, End::Promoted), 0, "{}", model.name);
        }
    }
}

#[test]
fn a_broken_version_fails_few_requests() {
    for name in ["broken altogether, 10/s", "broken altogether", "broken altogether, 1,000/s"] {
        let ends = releases(&fault(name), 100);
        let took: Vec<f64> = ends.iter().map(|ending| ending.end_s).collect();
        assert!(quantile(&took, 0.5).unwrap().value <= 5.0, "{name}: {took:?}");
        assert_eq!(count(&ends, End::RolledBack), ends.len(), "{name}");
        assert!(extra(&ends, 0.5) <= 4.0 && extra(&ends, 0.99) <= 8.0, "{name}: {}", extra(&ends, 0.99));
    }
}

#[test]
fn a_worse_version_is_rolled_back() {
    for name in ["0.1 → 1.1 % (twice the margin)", "all answers ×1.5", "one route of 50 dead, 1 % of traffic"]
    {
        let ends = releases(&fault(name), 12);
        assert_eq!(count(&ends, End::RolledBack), ends.len(), "{name}");
        let most = if name.starts_with("one route") { 5.0 } else { 50.0 };
        assert!(extra(&ends, 0.5) <= most, "{name}");
    }
}

#[test]
fn little_traffic_is_no_reason_for_anything() {
    let model = Model { per_second: 0.01, ..identical().remove(0) };
    let plan = Wish { interval_ms: 10_000, ..Wish::default() }.plan(&model);
    for run in 0..10 {
        assert_eq!(ours::release(&model, &plan, SEED, run).end, End::Held);
    }
}

/// Five requests a second that both arms answer, and hardly any traffic.
#[test]
fn pairs_bring_a_verdict_within_ten_minutes() {
    for model in identical_with_pairs() {
        let plan = page::wish(&model).plan(&model);
        let ends: Vec<Ending> = (0..20).map(|run| ours::release(&model, &plan, SEED, run)).collect();
        assert_eq!(count(&ends, End::RolledBack), 0, "{}", model.name);
        if model.shape == Shape::Steady {
            let took: Vec<f64> = ends.iter().map(|ending| ending.end_s).collect();
            assert!(quantile(&took, 0.5).unwrap().value <= 600.0, "{}: {took:?}", model.name);
            assert!(count(&ends, End::Promoted) >= 19, "{}", model.name);
        }
    }
    for model in regressions_with_pairs().iter().filter(|model| model.name.starts_with("broken altogether")) {
        let plan = page::wish(model).plan(model);
        for run in 0..50 {
            let ending = ours::release(model, &plan, SEED, run);
            assert_eq!(ending.end, End::RolledBack, "{}", model.name);
            assert!(ending.end_s <= 10.0 && ending.extra_failures <= 4.0, "{}: {ending:?}", model.name);
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_page() {
    let counts = Counts { identical: 2, faults: 2, peers: 1 };
    let write = |seed| page::write(counts, &Runs::new(seed, None).unwrap(), "1 → 5 %").unwrap();
    let page = write(SEED);
    assert_eq!(page, write(SEED));
    assert_ne!(page, write(SEED + 1));
    assert!(page.contains("| 0.1 → 5 % | 2 |") && page.contains("**pitbird**"), "{page}");
}

/// What their documents promise of a total outage and of a fault below every threshold.
#[test]
fn peers_do_what_their_rules_say() {
    for (name, peer, end) in [
        ("broken altogether", Peer::CodeDeployRate, End::RolledBack),
        ("broken altogether", Peer::Flagger, End::RolledBack),
        ("broken altogether", Peer::Argo, End::RolledBack),
        ("broken altogether", Peer::Fission, End::RolledBack),
        ("0.1 → 5 %", Peer::Fission, End::Promoted),
        ("late 0.1 → 5 %", Peer::CodeDeployRate, End::Promoted),
        ("late 0.1 → 5 %", Peer::Flagger, End::Promoted),
    ] {
        assert_eq!(peers::release(&fault(name), peer, SEED, 0).end, end, "{name}, {peer:?}");
    }
}
