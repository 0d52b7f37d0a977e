use pitbird_rollout::Outcome;
use pitbird_wire::{Kind, Model};

use super::*;
use crate::operation::find_service;

fn input(more: Json) -> Json {
    let mut input = json!({
        "Name": "checkout-2",
        "Target": {"RestStage": {"RestApiId": "a1b2c3d4e5", "StageName": "prod"}},
        "Canary": {"DeploymentId": "x9y8z7"},
        "Steps": [{"Percent": 10, "WaitMs": 5_000}, {"Percent": 50, "WaitMs": 5_000}, {"Percent": 100, "WaitMs": 5_000}],
        "Rules": {"MaxDurationMs": 300_000, "Margin": 0.02},
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

fn options(rate: Option<f64>) -> PlanOptions {
    PlanOptions { file: "-".into(), rate, base_errors: 0.001, canary_errors: vec![0.3], runs: 10, seed: 1 }
}

#[test]
fn the_plan_is_the_one_that_the_service_would_make() {
    let plan = build::plan(&input(json!({
        "Alarms": ["a"], "Routes": ["GET /pets"], "Latency": {"SlowerBy": 0.2}, "Ramp": {"FirstPercent": 2},
        "Guardrails": {"ErrorRate": 0.02, "Latency": [{"Quantile": 0.99, "AboveMs": 800}]},
        "Rules": {"WhenBlind": "Hold", "IntervalMs": 200},
    })))
    .unwrap();
    assert_eq!(
        (plan.rules().interval_ms, &plan.rules().checks[..]),
        (200, &["latency-history".to_owned()][..])
    );
    assert_eq!(
        (&plan.rules().alarms[..], &plan.judged().routes[..]),
        (&["a".to_owned()][..], &["GET /pets".to_owned()][..])
    );
    assert_eq!(plan.judged().latency.as_ref().unwrap().slower_by, 0.2);
    assert_eq!(plan.ramp().unwrap().first_percent.get(), 2.0);
    assert_eq!(plan.guardrails().all().len(), 2);
    let steps = |input: Json| build::plan(&input).unwrap().steps().to_vec();
    assert_eq!(steps(input(json!({"Steps": null, "Rules": {}}))).len(), 3);
    assert_eq!(steps(input(json!({"Steps": null, "Ramp": {}, "Rules": {}})))[1].percent.get(), 95.0);
    let waits = steps(input(json!({"Steps": [{"Percent": 1}, {"Percent": 50}], "Rules": {}})));
    assert_eq!((waits[0].wait_ms, waits[1].wait_ms), (120_000, 600_000));
    for (more, words) in [
        (json!({"Rules": {"Margin": 0.9}}), "the plan is none: margin is 0.9"),
        (json!({"Routes": "GET /pets"}), "Routes"),
        (json!({"Rules": {"WhenBlind": "Promote"}}), "whenBlind"),
    ] {
        let none = build::plan(&input(more)).unwrap_err().to_string();
        assert!(none.contains("the plan is none") && none.contains(words), "{none}");
    }
}

/// Every member that the model has is one that the planner knows, under the same name.
#[test]
fn no_member_of_the_model_is_lost_on_the_planner() {
    let model: &Model = find_service("rollouts").unwrap();
    let shape = model.operation("StartRollout").unwrap().input.unwrap();
    for member in model.members(shape) {
        if !["Rules", "Ramp", "Latency", "Guardrails"].contains(&member.name) {
            continue;
        }
        let mut given = json!({});
        for below in model.members(member.reference.shape) {
            given[below.name] = match (below.name, &model.shape(below.reference.shape).kind) {
                (_, Kind::List { .. }) => json!([{"Quantile": 0.9, "AboveMs": 5}]),
                (_, Kind::String) => json!("Hold"),
                ("SlowerBy" | "WarmUpMs", _) => json!(1),
                ("MaxDurationMs" | "GateTimeoutMs", _) => json!(300_000),
                ("CanaryRequestsMin" | "DeadlineMs" | "IntervalMs", _) => json!(2_000),
                ("FailuresPerLook" | "FirstPercent", _) => json!(2),
                _ => json!(0.05),
            };
        }
        let plan = build::plan(&input(json!({(member.name): given}))).unwrap();
        let usual = build::plan(&input(json!({}))).unwrap();
        assert_ne!(plan, usual, "{} is heeded", member.name);
    }
}

#[test]
fn a_bad_canary_is_foreseen_to_be_rolled_back_and_a_good_one_promoted() {
    let plan = build::plan(&input(json!({}))).unwrap();
    let forecasts = forecasts(&plan, Pairing::default(), &options(Some(300.0)), 300.0);
    let [good, bad] = &forecasts[..] else { panic!("{forecasts:?}") };
    assert!(good.count(Outcome::Promoted) >= 9, "{good:?}");
    assert_eq!(bad.count(Outcome::RolledBack), 10);
    let usual = bad.usual().unwrap();
    assert!(usual.took_ms <= 5_000 && usual.canary_requests <= 200, "{usual:?}");
    assert!(usual.requests >= 8 * usual.canary_requests, "{usual:?}");
    assert_eq!(
        forecasts,
        super::forecasts(&plan, Pairing::default(), &options(Some(300.0)), 300.0),
        "the seed decides"
    );
}

#[test]
fn everything_that_a_plan_judges_is_fed() {
    let plan = build::plan(&input(json!({
        "Alarms": ["a"], "Routes": ["GET /pets", "GET /toys"], "Latency": {},
        "Guardrails": {"ErrorRate": 0.05, "Latency": [{"Quantile": 0.99, "AboveMs": 800}]},
    })))
    .unwrap();
    let good = &forecasts(&plan, Pairing::default(), &options(Some(400.0)), 400.0)[0];
    assert!(good.count(Outcome::Promoted) >= 8, "{good:?}");
}

#[test]
fn gates_are_told_and_opened() {
    let steps = json!([{"Percent": 10, "WaitMs": 5_000, "Gate": true}, {"Percent": 50, "WaitMs": 5_000}]);
    let input = input(json!({"Steps": steps}));
    let plan = build::plan(&input).unwrap();
    let good = &forecasts(&plan, Pairing::default(), &options(Some(300.0)), 300.0)[0];
    assert!(good.count(Outcome::Promoted) >= 9, "{good:?}");
    let text = page::page(&input, &plan, &json!({}), &options(None), &[]);
    assert!(text.contains("100 canary requests seen, then somebody opens the gate\n"), "{text}");
    assert!(text.contains("- gates: inconclusive when not opened within 1h 00m\n"), "{text}");
}

#[test]
fn hooks_notifications_and_what_the_target_is_given_are_told() {
    let hooks = json!([
        {"Name": "smoke", "When": "BeforeStep", "Percent": 50, "FunctionName": "smoke:live", "WaitMs": 60_000, "Attempts": 5},
        {"Name": "told", "When": "AfterRollout", "Url": "https://example.com/told", "Secret": "0123456789abcdef"},
    ]);
    let notifications =
        json!([{"Url": "https://example.com/a", "Secret": "0123456789abcdef"}, {"Url": "http://b"}]);
    let more = json!({
        "Hooks": hooks, "Notifications": notifications, "Force": "header:X-Release", "Sticky": "cookie:user",
        "PreWarm": {"Environments": 3},
    });
    let input = input(more);
    let plan = build::plan(&input).unwrap();
    assert_eq!((plan.hooks().len(), plan.hooks()[0].patience.attempts), (2, 5));
    assert_eq!(plan.rules().checks, ["pre-warmed"]);
    let good = &forecasts(&plan, Pairing::default(), &options(Some(300.0)), 300.0)[0];
    assert!(good.count(Outcome::Promoted) >= 9, "{good:?}");
    let text = page::page(&input, &plan, &json!({}), &options(None), &[]);
    for line in [
        "- hook smoke, before a step of 50 %: asks smoke:live; 5 failures in a row of 10.0 s each at most; inconclusive when \
         it neither says go nor stop within 1m 00s\n",
        "- hook told, after the end: tells https://example.com/told; 3 failures in a row of 10.0 s each at most; then it is \
         left\n",
        "\nBesides:\n- 3 environments of the canary are ready before its first request\n\
         - who brings canary or base in header:X-Release gets that release, which is no evidence\n\
         - clients keep their release by cookie:user: who brings the same value there stays while the share grows, and \
         only each one's first failure is compared\n\
         - https://example.com/a is told of every change, signed\n- http://b is told of every change\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let told = document(&input, &plan, &json!({}), &options(None), &[]).to_string();
    assert!(told.contains("is told of every change") && !told.contains("0123456789abcdef"), "{told}");
    for hook in [json!({}), json!({"Url": "http://a", "FunctionName": "b"})] {
        let mut hook = hook;
        (hook["Name"], hook["When"]) = (json!("a"), json!("AfterStep"));
        let none = build::plan(&super::tests::input(json!({"Hooks": [hook]}))).unwrap_err().to_string();
        assert!(none.contains("hook a asks either function_name or url"), "{none}");
    }
}

#[test]
fn requests_that_both_answer_are_foreseen_where_hardly_any_come() {
    let rules = json!({"MaxDurationMs": 3_600_000});
    let request = json!({"Requests": [{"Path": "/"}]});
    let foreseen = |more: Json| {
        let mut given = json!({"Rules": rules, "Steps": null, "Ramp": {}});
        given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let input = input(given);
        let plan = build::plan(&input).unwrap();
        let rate = if input["Mirror"].is_null() { 0.01 } else { 5.0 };
        (forecasts(&plan, Pairing::of(&input), &options(Some(rate)), rate), page::assumes(&plan))
    };
    let (none, assumed) = foreseen(json!({}));
    assert!(!assumed.contains("both answer"));
    assert_eq!((none[0].count(Outcome::Promoted), none[1].count(Outcome::RolledBack)), (0, 0), "{none:?}");
    let mut twice = request.clone();
    twice["PerSecond"] = json!(10);
    let mut took_ms = Vec::new();
    for more in [json!({"Probes": request}), json!({"Probes": twice}), json!({"Mirror": 100})] {
        let (found, assumed) = foreseen(more.clone());
        assert!(assumed.contains("both answer"));
        assert!(found[0].count(Outcome::Promoted) >= 9, "{more}: {found:?}");
        assert_eq!(found[1].count(Outcome::RolledBack), 10, "{more}: {found:?}");
        took_ms.push(found[0].usual().unwrap().took_ms);
    }
    assert!(took_ms[1] < took_ms[0], "twice as many: {took_ms:?}");
}

#[test]
fn runs_that_take_too_long_are_left_out() {
    let rules = json!({"MaxDurationMs": 86_400_000, "IntervalMs": 1_000});
    let plan = build::plan(&input(json!({"Rules": rules}))).unwrap();
    let traffic =
        Traffic { per_second: 0.0001, base_errors: 0.0, canary_errors: 0.0, pairs: Pairing::default() };
    let forecast = forecast::forecast(&plan, traffic, 1, 3);
    assert_eq!((forecast.runs.len(), forecast.usual()), (0, None), "a day has 86,400 looks");
}

#[test]
fn a_plan_is_drawn() {
    let input = input(json!({"Alarms": ["checkout-5xx"], "Guardrails": {"ErrorRate": 0.05}}));
    let plan = build::plan(&input).unwrap();
    let names = json!({"RestApi": "checkout", "BaseDeploymentId": "d1"});
    let text = page::page(&input, &plan, &names, &options(None), &[]);
    let expected = "\
Rollout  checkout-2
Target   stage prod of REST API a1b2c3d4e5 (checkout), deployment d1 now
Canary   deployment x9y8z7
Takes    15.0 s at least, 5m 00s at most
Differs  wait at 10 % 5 s instead of 120 s; wait at 50 % 5 s instead of 120 s; bake 5 s instead of 600 s; margin 2 pp \
instead of 0.5 pp; longest duration 300 s instead of 21600 s

Steps:
Step  Canary  Stays  Left when
   1    10 %  5.0 s  100 canary requests seen
   2    50 %  5.0 s  100 canary requests seen, shown not worse
   3   100 %  5.0 s  100 canary requests seen, shown not worse

Checks:
- errors: rolled back when more than the base's (wrong in 0.1 % of equally good ones), promoted when at most 2 pp more \
(wrong in 1 %)
- guardrail: error rate at most 5 %, whatever the base does
- alarms that veto: checkout-5xx
- budget: 1 % of the canary's requests with most of the traffic
- evidence missing: holds, and ends inconclusive after 5m 00s
";
    assert_eq!(text, expected);
    let options = options(Some(300.0));
    let forecasts = forecasts(&plan, Pairing::default(), &options, 300.0);
    let text = page::page(&input, &plan, &names, &options, &forecasts);
    assert!(
        text.contains(
            "\nForeseen at 300 requests a second, of the base's 0.1 % failing:\nCanary fails  Runs"
        ),
        "{text}"
    );
    let told = document(&input, &plan, &names, &options, &forecasts);
    assert_eq!(told["Foreseen"]["Releases"][1]["RolledBack"], 10);
    assert_eq!(told["Steps"][0]["CanaryRequestsPerSecond"], 30.0);
    assert_eq!(told["WhenBlind"], "hold");
}

#[tokio::test]
async fn without_a_server_nothing_is_named() {
    let nobody = "http://127.0.0.1:1".parse().unwrap();
    let client = Client::new(nobody, "us-east-1", crate::client::Credentials::from_environment(|_| None));
    assert_eq!(names(&client, &input(json!({}))["Target"]).await, json!({}));
}
