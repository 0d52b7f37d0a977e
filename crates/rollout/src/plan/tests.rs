use super::*;
use serde_json::{Value, json};

fn target() -> Target {
    Target { kind: TargetKind::StageCanary, description: "restapis/a1b2c3d4e5/stages/prod".into() }
}

/// A plan from its JSON, on the usual target.
fn parse(steps: Value, rules: Value) -> Result<Plan, String> {
    let plan = json!({"target": target(), "steps": steps, "rules": rules});
    serde_json::from_value(plan).map_err(|error| error.to_string())
}

fn ramp() -> Value {
    json!([{"percent": 10, "wait_ms": 3000}, {"percent": 50, "wait_ms": 3000}, {"percent": 100, "wait_ms": 3000}])
}

#[test]
fn the_standard_plan_deviates_in_nothing() {
    let plan = Plan::standard(target()).unwrap();
    assert_eq!(plan.deviations(), Vec::<String>::new());
    let read: Plan = serde_json::from_value(json!({"target": target()})).unwrap();
    assert_eq!(read, plan);
}

#[test]
fn what_is_shortened_or_widened_is_said() {
    let rules = json!({"margin": 0.05, "canary_requests_min": 20, "max_duration_ms": 60000, "budget": 0.02});
    assert_eq!(
        parse(ramp(), rules).unwrap().deviations(),
        [
            "wait at 10 % 3 s instead of 120 s",
            "wait at 50 % 3 s instead of 120 s",
            "bake 3 s instead of 600 s",
            "margin 5 pp instead of 0.5 pp",
            "error budget at 100 % 2 % instead of 1 %",
            "canary requests per step 20 requests instead of 100 requests",
            "longest duration 60 s instead of 21600 s",
        ]
    );
    let steps = json!([{"percent": 33.333333, "wait_ms": 900000}]);
    let rules =
        json!({"alpha_rollback": 0.01, "alpha_promote": 0.05, "deadline_ms": 5000, "interval_ms": 250});
    assert_eq!(
        parse(steps, rules).unwrap().deviations(),
        [
            "first step 33.333333 % instead of at most 10 %",
            "false rollback chance 1 % instead of 0.1 %",
            "false promotion chance 5 % instead of 1 %",
            "target's deadline 5 s instead of 60 s",
            "look every 0.25 s instead of 1 s",
        ]
    );
}

#[test]
fn a_plan_that_is_none_is_refused_by_name() {
    let step = |percent: f64, wait_ms: u64| json!({"percent": percent, "wait_ms": wait_ms});
    let many: Vec<Value> = (1..=33).map(|percent| step(f64::from(percent), 0)).collect();
    let names = |count: usize| (0..count).map(|i| format!("alarm-{i}")).collect::<Vec<_>>();
    for (steps, rules, expected) in [
        (json!([]), json!({}), "a rollout needs 1 to 32 steps, not 0"),
        (json!(many), json!({}), "a rollout needs 1 to 32 steps, not 33"),
        (json!([step(0.0, 0)]), json!({}), "step 1 goes to 0 %; steps must rise"),
        (json!([step(10.0, 0), step(10.0, 0)]), json!({}), "step 2 goes to 10 %; steps must rise"),
        (json!([step(50.0, 0), step(10.0, 0)]), json!({}), "step 2 goes to 10 %; steps must rise"),
        (json!([step(100.0, 0)]), json!({}), "leaves nothing to compare"),
        (json!([step(101.0, 0)]), json!({}), "101 is not between 0 and 100"),
        (json!([step(0.000_000_1, 0)]), json!({}), "percent is 0.0000001; at most six decimals"),
        (json!([step(10.0, WAIT_MS_MAX + 1)]), json!({}), "step 1 waits 172800001 ms"),
        (ramp(), json!({"max_duration_ms": 9000}), "does not fit into max_duration_ms 9000"),
        (ramp(), json!({"alpha_rollback": 0.0}), "alpha_rollback is 0; it must lie between 0.000001 and 0.1"),
        (ramp(), json!({"alpha_promote": 0.5}), "alpha_promote is 0.5; it must lie between"),
        (ramp(), json!({"margin": 0.0001}), "margin is 0.0001; it must lie between 0.001 and 0.5"),
        (ramp(), json!({"margin": 0.0050001}), "margin is 0.0050001; at most six decimals"),
        (ramp(), json!({"budget": 0.3}), "budget is 0.3; it must lie between"),
        (ramp(), json!({"canary_requests_min": 0}), "canary_requests_min is 0; it must lie between"),
        (ramp(), json!({"max_duration_ms": DURATION_MS_MAX + 1}), "max_duration_ms is 604800001"),
        (ramp(), json!({"deadline_ms": 1}), "deadline_ms is 1; it must lie between"),
        (ramp(), json!({"interval_ms": 0}), "interval_ms is 0; it must lie between"),
        (ramp(), json!({"gate_timeout_ms": 999}), "gate_timeout_ms is 999; it must lie between"),
        (ramp(), json!({"gate_timeout_ms": GATE_TIMEOUT_MS_MAX + 1}), "gate_timeout_ms is 172800001"),
        (ramp(), json!({"alarms": names(11)}), "alarms names 11 things; at most 10"),
        (
            ramp(),
            json!({"alarms": ["a", "a"]}),
            "alarms names \"a\"; names are 1 to 255 bytes long and given once",
        ),
        (ramp(), json!({"checks": [""]}), "checks names \"\"; names are"),
        (ramp(), json!({"margins": 0.1}), "unknown field `margins`"),
    ] {
        let error = parse(steps, rules).expect_err(expected);
        assert!(error.contains(expected), "{error} instead of {expected}");
    }
    let far = Target { kind: TargetKind::FunctionAlias, description: "x".repeat(TARGET_BYTES_MAX + 1) };
    assert_eq!(Plan::standard(far), Err(Error::Target(TARGET_BYTES_MAX + 1)));
}

#[test]
fn limits_are_inclusive() {
    let steps = json!([{"percent": 99.999999, "wait_ms": WAIT_MS_MAX}, {"percent": 100, "wait_ms": 0}]);
    let alarms: Vec<String> =
        (0..ALARMS_MAX).map(|i| format!("{i}{}", "a".repeat(NAME_BYTES_MAX - 1))).collect();
    let rules = json!({
        "alpha_rollback": 0.1, "alpha_promote": 0.000001, "margin": 0.001, "budget": 0.25, "canary_requests_min": 1,
        "max_duration_ms": DURATION_MS_MAX, "deadline_ms": 3_600_000, "interval_ms": 50, "alarms": alarms,
    });
    let plan = parse(steps, rules).unwrap();
    let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(read, plan);
}

#[test]
fn a_fingerprint_changes_with_the_plan() {
    let plan = parse(ramp(), json!({})).unwrap();
    assert_eq!(plan.fingerprint(), plan.clone().fingerprint());
    assert_eq!(plan.fingerprint().len(), 16);
    assert_ne!(plan.fingerprint(), parse(ramp(), json!({"margin": 0.006})).unwrap().fingerprint());
}

/// The usual plan with a ramp and things to judge.
fn parse_more(ramp: Value, judged: Value) -> Result<Plan, String> {
    let plan = json!({"target": target(), "ramp": ramp, "judged": judged});
    serde_json::from_value(plan).map_err(|error| error.to_string())
}

#[test]
fn a_ramp_and_what_is_judged_have_bounds() {
    let routes =
        |count: usize| json!({"routes": (0..count).map(|i| format!("GET /{i}")).collect::<Vec<_>>()});
    for (ramp, judged, expected) in [
        (json!({"failures_per_look": 0.001}), json!({}), "failures_per_look is 0.001; it must lie between"),
        (json!({"failures_per_look": 1001}), json!({}), "failures_per_look is 1001"),
        (json!({"failures_per_look": 1.000_000_1}), json!({}), "at most six decimals"),
        (json!({"first_percent": 51}), json!({}), "first_percent is 51; it must lie between 0.01 and 50"),
        (json!({"first_percent": 0}), json!({}), "first_percent is 0"),
        (json!({"fast": true}), json!({}), "unknown field `fast`"),
        (json!({}), routes(51), "routes names 51 things; at most 50"),
        (json!({}), json!({"routes": ["a", "a"]}), "given once"),
        (json!({}), json!({"latency": {"body_margin": 0}}), "body_margin is 0"),
        (json!({}), json!({"latency": {"tail_margin": 0.6}}), "tail_margin is 0.6"),
        (json!({}), json!({"latency": {"warm_up_ms": 3_600_001}}), "warm_up_ms is 3600001"),
    ] {
        let error = parse_more(ramp, judged).expect_err(expected);
        assert!(error.contains(expected), "{error} instead of {expected}");
    }
    let widest = json!({"routes": routes(50)["routes"], "latency": {"warm_up_ms": 3_600_000}, "users": true});
    let plan = parse_more(json!({"failures_per_look": 1000, "first_percent": 50}), widest).unwrap();
    let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(read, plan);
}

#[test]
fn a_plan_without_them_is_written_as_ever() {
    let plan = Plan::standard(target()).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert!(!text.contains("ramp") && !text.contains("judged"), "{text}");
    let paired = parse_more(json!({}), json!({"pairs": true})).unwrap();
    let unpaired = parse_more(json!({}), json!({"pairs": false})).unwrap();
    assert_eq!(unpaired.fingerprint(), parse_more(json!({}), json!({})).unwrap().fingerprint());
    assert_ne!(paired.fingerprint(), unpaired.fingerprint());
    let adaptive = Plan::adaptive(target()).unwrap();
    assert_ne!(adaptive.fingerprint(), plan.fingerprint());
    assert_eq!(adaptive.steps().len(), 2);
}

#[test]
fn what_is_riskier_than_the_usual_ramp_is_said() {
    assert_eq!(Plan::adaptive(target()).unwrap().deviations(), Vec::<String>::new());
    let plan = json!({
        "target": target(),
        "steps": [{"percent": 50, "wait_ms": 30_000}, {"percent": 95, "wait_ms": 600_000}],
        "ramp": {"failures_per_look": 10, "first_percent": 15},
        "judged": {"latency": {"body_margin": 0.1}, "pairs": true},
    });
    let plan: Plan = serde_json::from_value(plan).unwrap();
    assert_eq!(
        plan.deviations(),
        [
            "wait at 50 % 30 s instead of 60 s",
            "blast radius 10 failures per look instead of 1.5",
            "ramp begins at 15 % instead of 12 %",
            "promotion may rest on mirrored requests or probes instead of the canary's own traffic, which they must be like",
            "margin above the p50 10 pp instead of 6 pp",
        ]
    );
}

#[test]
fn guardrails_have_bounds() {
    let parse = |guardrails: Value| -> Result<Plan, String> {
        let plan = json!({"target": target(), "guardrails": guardrails});
        serde_json::from_value(plan).map_err(|error| error.to_string())
    };
    let latency = |count: u64| -> Value {
        (0..count).map(|at| json!({"quantile": 0.5 + at as f64 / 100.0, "above_ms": 1})).collect()
    };
    for (guardrails, expected) in [
        (json!({"error_rate": 0.00001}), "guardrails.error_rate is 0.00001; it must lie between"),
        (json!({"error_rate": 0.51}), "guardrails.error_rate is 0.51"),
        (json!({"error_rate": 0.010_000_01}), "at most six decimals"),
        (json!({"latency": [{"quantile": 0.49, "above_ms": 1}]}), "guardrails.latency.quantile is 0.49"),
        (json!({"latency": [{"quantile": 0.9999, "above_ms": 1}]}), "guardrails.latency.quantile is 0.9999"),
        (json!({"latency": [{"quantile": 0.9, "above_ms": 0}]}), "guardrails.latency.above_ms is 0"),
        (
            json!({"latency": [{"quantile": 0.9, "above_ms": 3_600_001}]}),
            "guardrails.latency.above_ms is 3600001",
        ),
        (
            json!({"latency": [{"quantile": 0.9, "above_ms": 1}, {"quantile": 0.9, "above_ms": 2}]}),
            "two limits",
        ),
        (json!({"latency": latency(5)}), "guardrails.latency names 5 things; at most 4"),
        (json!({"cost": 1}), "unknown field `cost`"),
    ] {
        let error = parse(guardrails).expect_err(expected);
        assert!(error.contains(expected), "{error} instead of {expected}");
    }
    let plan = parse(json!({"error_rate": 0.5, "latency": latency(4)})).unwrap();
    let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(read, plan);
    let names: Vec<String> = plan.guardrails().all().iter().map(ToString::to_string).collect();
    assert_eq!(names[..2], ["error rate at most 50 %", "p50 at most 1 ms"]);
    let plain = parse(json!({})).unwrap();
    assert!(!serde_json::to_string(&plain).unwrap().contains("guardrails"));
    assert!(!serde_json::to_string(&plain).unwrap().contains("when_blind"));
    assert_ne!(plain.fingerprint(), plan.fingerprint());
}
