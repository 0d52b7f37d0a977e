//! The models.

use crate::model::{Fault, Model, Shape, Slower};

const HEALTHY: Model = Model {
    name: "steady",
    per_second: 100.0,
    errors: 0.001,
    shape: Shape::Steady,
    fault: Fault::NONE,
    has_routes: false,
    pairs_per_second: 0.0,
};

/// Little traffic, and probes or mirrored requests beside it.
const PAIRED: Model = Model { per_second: 1.0, pairs_per_second: 5.0, ..HEALTHY };

/// Both arms the same software, and something that might fool a rule.
pub fn identical() -> Vec<Model> {
    let shaped = |name, shape| Model { name, shape, errors: 0.002, ..HEALTHY };
    vec![
        HEALTHY,
        Model { name: "steady, base 1 %", errors: 0.01, ..HEALTHY },
        Model { name: "no errors at all", errors: 0.0, ..HEALTHY },
        Model { name: "1,000 requests/s", per_second: 1_000.0, ..HEALTHY },
        Model { name: "1 request/s", per_second: 1.0, ..HEALTHY },
        shaped("errors and latency drift upwards", Shape::Drift),
        shaped("daily cycle", Shape::Daily),
        shaped("bursts", Shape::Bursts),
        shaped("heavy-tailed traffic", Shape::HeavyTailed),
        shaped("outage of both arms", Shape::Outage),
        shaped("error storms", Shape::Storms),
        shaped("retries", Shape::Retries),
        shaped("users keep their arm", Shape::Users),
        shaped("bad hosts", Shape::Hosts),
        shaped("split is not as configured", Shape::Skewed),
        shaped("weights come a second late", Shape::Lagging),
        shaped("colder canary", Shape::Cold),
        Model { name: "50 routes", has_routes: true, ..HEALTHY },
    ]
}

/// Something is wrong with the canary.
pub fn regressions() -> Vec<Model> {
    let with = |name, per_second, errors, fault| Model { name, per_second, errors, fault, ..HEALTHY };
    let more = |errors| Fault { errors, ..Fault::NONE };
    let slower = |slower| Fault { slower, ..Fault::NONE };
    let late = |errors| Fault { errors, onset_s: 480.0..600.0, ..Fault::NONE };
    vec![
        with("broken altogether, 10/s", 10.0, 0.0, more(1.0)),
        with("broken altogether", 100.0, 0.0, more(1.0)),
        with("broken altogether, 1,000/s", 1_000.0, 0.0, more(1.0)),
        with("0.1 → 5 %", 100.0, 0.001, more(0.049)),
        with("0.1 → 1.1 % (twice the margin)", 100.0, 0.001, more(0.01)),
        with("0.1 → 1.1 %, 1,000/s", 1_000.0, 0.001, more(0.01)),
        with("1 → 2 %", 100.0, 0.01, more(0.01)),
        with("1 → 5 %", 100.0, 0.01, more(0.04)),
        with("0.1 → 0.6 % (at the margin)", 100.0, 0.001, more(0.005)),
        with("late 0.1 → 5 %", 100.0, 0.001, late(0.049)),
        with("late 0.1 → 5 %, 1,000/s", 1_000.0, 0.001, late(0.049)),
        with("all answers ×1.5", 100.0, 0.001, slower(Slower::Body(1.5))),
        with("slowest 2 % ×2", 100.0, 0.001, slower(Slower::Tail(2.0))),
        Model {
            name: "one route of 50 dead, 1 % of traffic",
            has_routes: true,
            fault: Fault { is_route_dead: true, ..Fault::NONE },
            ..HEALTHY
        },
        Model {
            name: "users keep their arm, 0.1 → 5 %", shape: Shape::Users, fault: more(0.049), ..HEALTHY
        },
        with("broken altogether, 1/s", 1.0, 0.0, more(1.0)),
        with("0.1 → 5 %, 1/s", 1.0, 0.001, more(0.049)),
        with("broken altogether, 0.01/s", 0.01, 0.0, more(1.0)),
    ]
}

/// Both arms the same, where requests that both answer are most of what there is.
pub fn identical_with_pairs() -> Vec<Model> {
    vec![
        Model { name: "0.01 requests/s, 5 pairs/s", per_second: 0.01, ..PAIRED },
        Model { name: "1 request/s, 5 pairs/s", ..PAIRED },
        // Here the traffic says as much as the pairs do, and pays for their part of the level.
        Model { name: "20 requests/s, 1 pair/s", per_second: 20.0, pairs_per_second: 1.0, ..PAIRED },
        Model { name: "1 request/s, 5 pairs/s, error storms", errors: 0.002, shape: Shape::Storms, ..PAIRED },
    ]
}

/// Something is wrong with the canary there.
pub fn regressions_with_pairs() -> Vec<Model> {
    let with = |name, per_second, base, errors| Model {
        name,
        per_second,
        errors: base,
        fault: Fault { errors, ..Fault::NONE },
        ..PAIRED
    };
    vec![
        with("broken altogether, 0.01/s, 5 pairs/s", 0.01, 0.0, 1.0),
        with("broken altogether, 1/s, 5 pairs/s", 1.0, 0.0, 1.0),
        with("0.1 → 5 %, 0.01/s, 5 pairs/s", 0.01, 0.001, 0.049),
        with("0.1 → 5 %, 1/s, 5 pairs/s", 1.0, 0.001, 0.049),
        with("0.1 → 0.6 % (at the margin), 0.01/s, 5 pairs/s", 0.01, 0.001, 0.005),
        with("0.1 → 0.6 % (at the margin), 1/s, 5 pairs/s", 1.0, 0.001, 0.005),
        Model {
            fault: Fault { errors: 0.049, onset_s: 60.0..180.0, ..Fault::NONE },
            ..with("late 0.1 → 5 %, 1/s, 5 pairs/s", 1.0, 0.001, 0.0)
        },
    ]
}
