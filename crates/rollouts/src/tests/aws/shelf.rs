//! The recordings.

use std::sync::LazyLock;

use pitbird_rollout::AlarmState;
use pitbird_simulation::catalogue::{identical, regressions};
use pitbird_simulation::model::{Model, Shape, Slower};
use serde_json::{Value as Json, json};

use super::recording::Recording;
use crate::tests::bed::with;

/// Runs of each model that is in the catalogue.
const RUNS: u64 = 2;

pub fn recordings() -> &'static [Recording] {
    static RECORDINGS: LazyLock<Vec<Recording>> = LazyLock::new(all);
    &RECORDINGS
}

/// Ways to roll out: when to look, how far to go, and what else is watched.
fn plan(run: u64) -> Json {
    let step = |percent: u64, wait_min: u64| json!({"Percent": percent, "WaitMs": wait_min * 60_000});
    let (steps, interval_ms) = match run % 4 {
        0 => (json!([step(10, 2), step(50, 2)]), 60_000),
        1 => (json!([step(10, 2), step(50, 2), step(100, 10)]), 30_000),
        2 => (json!([step(5, 1), step(25, 3), step(50, 5), step(95, 5)]), 20_000),
        _ => (json!([step(1, 5), step(50, 0), step(100, 5)]), 45_000),
    };
    json!({"Steps": steps, "Rules": {"MaxDurationMs": 2_700_000, "IntervalMs": interval_ms}})
}

fn recording(name: &str, model: Model, run: u64) -> Recording {
    Recording {
        name: format!("{name}, run {run}"),
        model,
        run,
        order: plan(run),
        into_minute_ms: [20_000, 0, 59_000, 3_000, 31_500][run as usize % 5],
        history: [10, 0, 59][run as usize % 3],
        silent_from: u64::MAX,
        is_one_source: false,
        blind: 0..0,
        says: "",
        alarm: Vec::new(),
    }
}

fn all() -> Vec<Recording> {
    let is_counted = |model: &Model| {
        // Nobody on AWS counts users, slow answers or routes.
        model.shape != Shape::Users && !model.has_routes && model.fault.slower == Slower::No
    };
    let models = identical().into_iter().chain(regressions()).filter(is_counted);
    let runs = models.enumerate().flat_map(|(at, model)| {
        (0..RUNS).map(move |run| recording(model.name, model.clone(), run + at as u64))
    });
    runs.chain(unusual()).collect()
}

/// What two functions of one API do: the one that is bad is the first, the second, or neither.
pub fn pairs() -> &'static [[Recording; 2]] {
    static PAIRS: LazyLock<Vec<[Recording; 2]>> = LazyLock::new(|| {
        let steady = || identical().swap_remove(0);
        let bad =
            || regressions().into_iter().find(|model| model.name == "0.1 → 5 %").expect("in the catalogue");
        let thin = || Model { per_second: 2.0, ..bad() };
        let idle = || Model { per_second: 0.0, ..steady() };
        let mut pairs = Vec::new();
        for run in 0..4 {
            for models in [
                [steady(), steady()],
                [bad(), steady()],
                [steady(), bad()],
                [steady(), thin()],
                [steady(), idle()],
            ] {
                let name = format!("{} beside {}", models[0].name, models[1].name);
                let [first, second] = models.map(|model| {
                    recording(&name, Model { per_second: model.per_second.min(60.0), ..model }, run)
                });
                // Its requests draw for themselves.
                pairs.push([first, Recording { run: run + 1_000, ..second }]);
            }
        }
        pairs
    });
    &PAIRS
}

/// A broken canary whose few failures all come from one environment.
pub fn one_source() -> &'static Recording {
    static RECORDING: LazyLock<Recording> = LazyLock::new(|| {
        let dead = regressions().into_iter().find(|model| model.name == "broken altogether, 1/s");
        let few = recording("one source", dead.expect("in the catalogue"), 3);
        Recording { is_one_source: true, ..few }
    });
    &RECORDING
}

/// What the catalogue doesn't have.
fn unusual() -> Vec<Recording> {
    let steady = identical().swap_remove(0);
    let rate = |per_second: f64| Model { per_second, ..steady.clone() };
    let named =
        |name: &str| regressions().into_iter().find(|model| model.name == name).expect("in the catalogue");
    let mut found = Vec::new();
    for run in 0..4 {
        found.push(recording("no traffic", rate(0.0), run));
        found.push(recording("thin traffic", rate(0.05), run));
        let dead = Model { per_second: 0.2, ..named("broken altogether, 1/s") };
        found.push(recording("dead, thin traffic", dead, run));
        found.push(Recording { silent_from: 3 + run, ..recording("falls silent", steady.clone(), run) });
        found.push(Recording { blind: 2..7 + run, ..recording("blind for a while", steady.clone(), run) });
        found.push(Recording { blind: 3..u64::MAX, ..recording("blind for good", steady.clone(), run) });
        found.push(Recording { blind: 1..4, ..recording("blind when it breaks", named("0.1 → 5 %"), run) });
        let limit = json!({"Guardrails": {"ErrorRate": 0.02}});
        let both = Model { errors: 0.05, ..steady.clone() };
        found.push(guarded("both above the limit", both, run, &limit));
        found.push(guarded("below the limit", steady.clone(), run, &limit));
        let gate = json!({"Steps": [{"Percent": 10, "WaitMs": 60_000, "Gate": true}, {"Percent": 50, "WaitMs": 60_000}]});
        let rules = json!({"Rules": {"MaxDurationMs": 2_700_000, "IntervalMs": 60_000, "GateTimeoutMs": 600_000 + run}});
        let gate = with(gate, rules);
        let gated = recording("a gate that nobody opens", steady.clone(), run);
        let order = with(gated.order.clone(), gate);
        found.push(Recording { order, ..gated });
        for (name, says) in HOOKS {
            let asking = recording(name, steady.clone(), run);
            let hook = |name: &str, when: &str| json!({"Name": name, "When": when, "FunctionName": "pets"});
            let hooks = json!({"Hooks": [hook("tests", "AfterStep"), hook("people", "BeforePromotion")]});
            found.push(Recording { order: with(asking.order.clone(), hooks), says, ..asking });
        }
        for (name, alarm) in alarms(run) {
            let watched = recording(name, steady.clone(), run);
            let order = with(watched.order.clone(), json!({"Alarms": ["errors"]}));
            found.push(Recording { order, alarm, ..watched });
        }
    }
    found
}

/// What a hook may say, and what comes of it.
const HOOKS: [(&str, &str); 4] = [
    ("a hook lets it go on", r#"{"answer": "go"}"#),
    ("a hook stops it", r#"{"answer": "stop", "reason": "checkout is red"}"#),
    ("a hook never says yes", r#"{"answer": "not_yet", "reason": "2 of 3 tests ran"}"#),
    ("a hook says nothing that is an answer", "perhaps"),
];

fn guarded(name: &str, model: Model, run: u64, limit: &Json) -> Recording {
    let recording = recording(name, model, run);
    Recording { order: with(recording.order.clone(), limit.clone()), ..recording }
}

type States = Vec<(u64, Option<AlarmState>)>;

fn alarms(run: u64) -> [(&'static str, States); 3] {
    let ok = (0, Some(AlarmState::Ok));
    [
        ("an alarm rings", vec![ok, (1 + 2 * run, Some(AlarmState::Alarm))]),
        ("an alarm rings before", vec![(0, Some(AlarmState::Alarm)), (3, Some(AlarmState::Ok))]),
        (
            "an alarm is gone for a while",
            vec![(0, Some(AlarmState::InsufficientData)), (2, None), (9 + run, ok.1)],
        ),
    ]
}
