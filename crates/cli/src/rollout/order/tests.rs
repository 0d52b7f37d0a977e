use std::time::Duration;

use super::*;

fn parse(text: &str) -> Result<Json, file::Error> {
    let (model, input) = start_rollout();
    file::parse(text, model, &input)
}

/// What is ordered must be what the model has.
fn assert_sendable(input: &Json) {
    let (model, reference) = start_rollout();
    let value =
        crate::json::to_value(model, Some(reference.shape), input, crate::json::Files::Refused).unwrap();
    let violations = pitbird_wire::check(model, model.operation("StartRollout").unwrap(), &value);
    assert!(violations.is_empty(), "{input}: {}", pitbird_wire::summary(&violations));
}

const FILE: &str = r#"
name = "checkout-2"
steps = [10, "50%", { percent = 100, wait = "10m" }]
wait = "2m"
alarms = ["checkout-5xx"]
[target.rest_stage]
rest_api_id = "a1b2c3d4e5"
stage_name = "prod"
[canary]
deployment_id = "x9y8z7"
stage_variable_overrides = { camelCase = "kept" }
[rules]
margin = "0.5pp"
max_duration = "6h"
interval_ms = 250
when_blind = "hold"
[guardrails]
error_rate = "2%"
[[guardrails.latency]]
quantile = "p99"
above = "800ms"
"#;

fn expected() -> Json {
    json!({
        "Name": "checkout-2",
        "Steps": [
            {"Percent": 10, "WaitMs": 120_000}, {"Percent": 50.0, "WaitMs": 120_000}, {"Percent": 100, "WaitMs": 600_000},
        ],
        "Alarms": ["checkout-5xx"],
        "Target": {"RestStage": {"RestApiId": "a1b2c3d4e5", "StageName": "prod"}},
        "Canary": {"DeploymentId": "x9y8z7", "StageVariableOverrides": {"camelCase": "kept"}},
        "Rules": {"Margin": 0.005, "MaxDurationMs": 21_600_000, "IntervalMs": 250, "WhenBlind": "Hold"},
        "Guardrails": {"ErrorRate": 0.02, "Latency": [{"Quantile": 0.99, "AboveMs": 800}]},
    })
}

#[test]
fn a_file_is_read_as_people_write_it() {
    assert_eq!(parse(FILE), Ok(expected()));
    assert_sendable(&expected());
}

#[test]
fn yaml_is_a_file_too() {
    let text = r#"
# Reviewed with the release.
name: checkout-2
steps: [10, 50%, {percent: 100, wait: 10m}]
wait: 2m
alarms:
  - checkout-5xx
target:
  rest_stage: {rest_api_id: a1b2c3d4e5, stage_name: prod}
canary:
  deployment_id: x9y8z7
  stage_variable_overrides: {camelCase: kept}
rules:
  margin: 0.5pp
  max_duration: 6h
  interval_ms: 250
  when_blind: hold
guardrails:
  error_rate: 2%
  latency: [{quantile: p99, above: 800ms}]
"#;
    assert_eq!(parse(text), Ok(expected()));
    assert_eq!(parse(&format!("---\n{text}")), Ok(expected()));
    let unknown = parse("rules:\n  margn: 1").unwrap_err().to_string();
    assert_eq!(unknown, "unknown key rules.margn (line 2, column 3); did you mean margin?");
    for (text, words) in [("name: [", "neither TOML, YAML nor JSON"), ("---\n- 1", "a table of names")] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let deep = format!("name: {}", "[".repeat(200));
    assert!(parse(&deep).is_err(), "too deep");
}

#[test]
fn a_files_wait_holds_for_steps_that_it_doesn_t_name() {
    for (text, percents) in
        [("wait = \"3m\"", vec![10.0, 50.0, 100.0]), ("wait = \"3m\"\n[ramp]", vec![50.0, 95.0])]
    {
        let steps: Json =
            percents.iter().map(|percent| json!({"Percent": percent, "WaitMs": 180_000})).collect();
        assert_eq!(parse(text).unwrap()["Steps"], steps, "{text}");
    }
}

#[test]
fn gates_are_flags_and_keys() {
    let parsed =
        parse("steps = [10, { percent = 50, gate = true }]\n[rules]\ngate_timeout = \"2h\"").unwrap();
    assert_eq!(parsed["Steps"][1], json!({"Percent": 50, "Gate": true}));
    assert_eq!(parsed["Rules"]["GateTimeoutMs"], 7_200_000);
    let flags = |gates: Vec<f64>| {
        start_input(&StartOptions {
            function: Some("f".into()),
            alias: Some("live".into()),
            version: Some("2".into()),
            gate_timeout: Some(Duration::from_secs(60)),
            gates,
            ..StartOptions::default()
        })
    };
    let input = flags(vec![50.0]).unwrap();
    assert_eq!(
        input["Steps"],
        json!([{"Percent": 10.0}, {"Percent": 50.0, "Gate": true}, {"Percent": 100.0}])
    );
    assert_eq!(input["Rules"], json!({"GateTimeoutMs": 60_000}));
    assert_sendable(&input);
    assert!(flags(vec![20.0]).unwrap_err().to_string().contains("--gate 20: no step goes to 20 %"));
}

#[test]
fn the_operations_own_json_is_a_file_too() {
    assert_eq!(parse(&expected().to_string()), Ok(expected()));
}

#[test]
fn the_file_in_the_help_is_one() {
    let help = <crate::Cli as clap::CommandFactory>::command()
        .find_subcommand("rollout")
        .and_then(|rollout| rollout.find_subcommand("start"))
        .and_then(|start| start.get_after_help().map(ToString::to_string))
        .unwrap();
    let indented = help.lines().filter_map(|line| line.strip_prefix("  "));
    let file = indented.collect::<Vec<_>>().join("\n");
    assert_sendable(&parse(&file).unwrap());
}

#[test]
fn faults_of_a_file_are_named_with_their_place() {
    for (text, words) in [
        ("colour = 1", "unknown key colour (line 1, column 1)"),
        ("[rules]\nmargn = 1", "unknown key rules.margn (line 2, column 1); did you mean margin?"),
        ("# margn\nname = \"margn-2\"\nrules = { margn = 1 }", "rules.margn (line 3, column 11); did"),
        ("name = \"margn\"\nrules = { margn = 1 }", "unknown key rules.margn; did you mean margin?"),
        ("steps = [{ percent = 1, weight = 2 }]", "unknown key steps.0.weight (line 1, column 25)"),
        ("steps = [\"many\"]", "steps.0: \"many\" is no percentage"),
        ("wait = \"soon\"", "wait: \"soon\" is no duration"),
        ("wait = 60", "wait: \"60\" is no duration"),
        ("wait = \"1s\"\nwait_ms = 1000", "wait is there twice"),
        ("[rules]\nmax_duration = \"1h\"\nmax_duration_ms = 1", "rules.max_duration_ms is there twice"),
        (
            "[guardrails]\nlatency = [{quantile = \"p200\", above = \"1s\"}]",
            "guardrails.latency.0.quantile: \"p200\" is no quantile",
        ),
        ("[rules]\nmargin = \"200%\"", "rules.margin: \"200%\" is no share"),
        ("name = ", "neither TOML, YAML nor JSON"),
        ("{\"name\": ", "neither TOML, YAML nor JSON"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

fn flags() -> StartOptions {
    StartOptions {
        rest_api: Some("a1".into()),
        stage: Some("prod".into()),
        deployment: Some("d2".into()),
        ..StartOptions::default()
    }
}

#[test]
fn flags_alone_are_enough() {
    let input = start_input(&flags()).unwrap();
    assert_eq!(
        input,
        json!({
            "Name": "a1-prod-d2", "Canary": {"DeploymentId": "d2"},
            "Target": {"RestStage": {"RestApiId": "a1", "StageName": "prod"}},
        })
    );
    assert_sendable(&input);
}

#[test]
fn every_flag_reaches_the_service() {
    let input = start_input(&StartOptions {
        function: Some("arn:aws:lambda:us-east-1:000000000000:function:f".into()),
        alias: Some("live".into()),
        version: Some("2".into()),
        steps: vec![5.0, 50.0],
        wait: vec![Duration::from_secs(1)],
        margin: Some(0.01),
        budget: Some(0.02),
        min_requests: Some(50),
        max_duration: Some(Duration::from_secs(60)),
        interval: Some(Duration::from_millis(200)),
        alarms: vec!["a".into()],
        max_error_rate: Some(0.02),
        max_latency: vec![(0.99, Duration::from_millis(800)), (0.5, Duration::from_secs(1))],
        ..StartOptions::default()
    });
    let input = input.unwrap();
    assert_eq!(input["Name"], "arn-aws-lambda-us-east-1-000000000000-function-f-live-2");
    assert_eq!(input["Steps"], json!([{"Percent": 5.0, "WaitMs": 1000}, {"Percent": 50.0, "WaitMs": 1000}]));
    assert_eq!(
        input["Rules"],
        json!({"Margin": 0.01, "Budget": 0.02, "CanaryRequestsMin": 50, "MaxDurationMs": 60_000, "IntervalMs": 200})
    );
    let latency = json!([{"Quantile": 0.99, "AboveMs": 800}, {"Quantile": 0.5, "AboveMs": 1000}]);
    assert_eq!(input["Guardrails"], json!({"ErrorRate": 0.02, "Latency": latency}));
    assert_sendable(&input);
}

#[test]
fn a_wait_alone_keeps_the_standard_steps() {
    let input = start_input(&StartOptions { wait: vec![Duration::from_secs(5)], ..flags() }).unwrap();
    let percents: Vec<f64> =
        input["Steps"].as_array().unwrap().iter().map(|step| step["Percent"].as_f64().unwrap()).collect();
    assert_eq!(percents, [10.0, 50.0, 100.0]);
    assert!(input["Steps"].as_array().unwrap().iter().all(|step| step["WaitMs"] == 5000));
}

#[test]
fn what_is_judged_and_how_the_weight_rises_are_flags_and_keys() {
    let options = StartOptions { ramp: true, latency: true, routes: vec!["GET /pets".into()], ..flags() };
    let input = start_input(&options).unwrap();
    assert_eq!((&input["Ramp"], &input["Latency"]), (&json!({}), &json!({})));
    assert_eq!(input["Routes"], json!(["GET /pets"]));
    assert_sendable(&input);
    let waiting = start_input(&StartOptions { wait: vec![Duration::from_secs(5)], ..options }).unwrap();
    let step = |percent: f64| json!({"Percent": percent, "WaitMs": 5000});
    assert_eq!(waiting["Steps"], json!([step(50.0), step(95.0)]), "those of a ramp");
    let text =
        "routes = [\"*\"]\n[ramp]\nfirst_percent = \"2%\"\n[latency]\nslower_by = \"20%\"\nwarm_up = \"30s\"";
    let expected = json!({
        "Routes": ["*"], "Ramp": {"FirstPercent": 2.0}, "Latency": {"SlowerBy": 0.2, "WarmUpMs": 30_000},
    });
    assert_eq!(parse(text), Ok(expected));
}

#[test]
fn flags_win_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.toml");
    std::fs::write(&path, FILE).unwrap();
    let options = StartOptions {
        file: Some(path.clone()),
        name: Some("other".into()),
        wait: vec![Duration::from_secs(1)],
        margin: Some(0.01),
        ..StartOptions::default()
    };
    let input = start_input(&options).unwrap();
    assert_eq!(input["Name"], "other");
    assert_eq!(input["Steps"][2], json!({"Percent": 100, "WaitMs": 1000}));
    assert_eq!(input["Rules"]["Margin"], 0.01);
    assert_eq!(input["Rules"]["IntervalMs"], 250);
    let missing = StartOptions { file: Some(folder.path().join("none")), ..StartOptions::default() };
    assert_eq!(start_input(&missing).unwrap_err().code, 2);
}

#[test]
fn an_order_without_target_or_canary_is_a_wrong_use() {
    let nothing = start_input(&StartOptions::default()).unwrap_err();
    let no_canary = start_input(&StartOptions { deployment: None, ..flags() }).unwrap_err();
    for (failure, words) in [(nothing, "what is to be rolled out"), (no_canary, "what the canary is")] {
        assert_eq!(failure.code, 2);
        assert!(failure.what.contains(words) && failure.hint.is_some(), "{failure}");
    }
}

#[test]
fn waits_are_one_for_all_or_one_for_each() {
    let waits = |seconds: &[u64]| seconds.iter().map(|s| Duration::from_secs(*s)).collect::<Vec<_>>();
    let order = |wait| start_input(&StartOptions { steps: vec![10.0, 50.0], wait, ..flags() });
    assert_eq!(order(waits(&[1, 2])).unwrap()["Steps"][1]["WaitMs"], 2000);
    let failure = order(waits(&[1, 2, 3])).unwrap_err();
    assert_eq!((failure.code, failure.what.as_str()), (2, "3 waits are given for 2 steps"));
}
