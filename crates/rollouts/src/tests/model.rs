//! Inputs and answers are what the model says.

use pitbird_service::Kind;
use pitbird_wire::{Kind as Shape, Model, ShapeId};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{Bed, Pace, Traffic, model};

/// The shape of a member by its path: `Canary.StageVariableOverrides[]`.
fn member(model: &Model, input: ShapeId, path: &str) -> Option<ShapeId> {
    let mut shape = input;
    for piece in path.split('.') {
        let (name, items) = (piece.trim_end_matches("[]"), piece.matches("[]").count());
        shape = model.members(shape).iter().find(|member| member.name == name)?.reference.shape;
        for _ in 0..items {
            shape = match &model.shape(shape).kind {
                Shape::List { member, .. } => member.shape,
                Shape::Map { value, .. } => value.shape,
                _ => return None,
            };
        }
    }
    Some(shape)
}

#[tokio::test(start_paused = true)]
async fn every_inputs_members_are_in_the_model_with_their_kinds() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    let all: Vec<&str> = model().operations().iter().map(|operation| operation.name).collect();
    assert_eq!(bed.service().operations().collect::<Vec<_>>(), all, "every operation is written");
    for operation in bed.service().operations() {
        let known = model().operation(operation).expect(operation);
        for found in bed.service().input_members(operation).expect(operation) {
            let shape = member(model(), known.input.expect("an input"), &found.path);
            let shape = shape.unwrap_or_else(|| panic!("{operation} has no {}", found.path));
            let fits = match &model().shape(shape).kind {
                Shape::Structure(_) => found.kind == Kind::Structure,
                Shape::List { .. } => found.kind == Kind::List,
                Shape::Map { .. } => found.kind == Kind::Map,
                Shape::String => found.kind == Kind::String,
                Shape::Boolean => found.kind == Kind::Boolean,
                Shape::Integer | Shape::Long => found.kind == Kind::Integer,
                Shape::Float | Shape::Double => found.kind == Kind::Float,
                _ => false,
            };
            assert!(fits, "{operation} {} is no {:?}", found.path, found.kind);
        }
    }
    bed.close().await;
}

/// Holds an answer against its shape: no member that the model doesn't have, none of another kind. What was seen is
/// noted in `seen`.
fn check(shape: ShapeId, value: &Json, path: &str, seen: &mut Vec<String>) {
    let known = model().shape(shape);
    match (&known.kind, value) {
        (_, Json::Null) => {}
        (Shape::Structure(_), Json::Object(members)) => {
            for (name, value) in members {
                let member = model().members(shape).iter().find(|member| member.name == *name);
                let member = member.unwrap_or_else(|| panic!("{path} has no {name}"));
                seen.extend((!value.is_null()).then(|| name.clone()));
                check(member.reference.shape, value, &format!("{path}.{name}"), seen);
            }
        }
        (Shape::List { member, .. }, Json::Array(items)) => {
            items.iter().for_each(|item| check(member.shape, item, path, seen));
        }
        (Shape::Map { value: member, .. }, Json::Object(entries)) => {
            entries.values().for_each(|value| check(member.shape, value, path, seen));
        }
        (Shape::String, Json::String(text)) => {
            let choices = &known.constraints.choices;
            assert!(choices.is_empty() || choices.contains(&text.as_str()), "{path} is {text}");
        }
        (Shape::Boolean, Json::Bool(_)) => {}
        (Shape::Integer | Shape::Long, Json::Number(number)) => assert!(number.is_i64(), "{path}"),
        (Shape::Double | Shape::Float | Shape::Timestamp(_), Json::Number(_)) => {}
        (kind, value) => panic!("{path} is {value}, not {kind:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_answers_members_are_in_the_model_and_all_of_it_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    let shape = |operation: &str| model().operation(operation).and_then(|it| it.output).expect("an output");
    bed.traffic(Traffic { per_second: 300.0, base_failures: 0.01, canary_failures: 0.3 });
    let canary = json!({"DeploymentId": "d2", "StageVariableOverrides": {"colour": "blue"}});
    bed.pace(Pace { base_ms: 20.0, canary_ms: 20.0, is_route_dead: false });
    let guardrails = json!({"ErrorRate": 0.5, "Latency": [{"Quantile": 0.99, "AboveMs": 900}]});
    let judged = json!({
        "Canary": canary, "Routes": ["*"], "Latency": {}, "Ramp": {"FirstPercent": 10.0}, "Guardrails": guardrails,
        "Notifications": [{"Url": "http://127.0.0.1:9/"}],
        "Force": "header:X-Release", "Sticky": "source-address", "Mirror": 50,
        "Probes": {"Requests": [{"Path": "/", "Headers": {"a": "b"}, "Body": "{}"}]},
        "Hooks": [
            {"Name": "url", "When": "AfterStep", "Percent": 10, "Url": "http://127.0.0.1:9/", "Secret": "0123456789abcdef"},
            {"Name": "function", "When": "BeforeStep", "FunctionName": "pets"},
        ],
    });
    bed.say("pets", Ok(r#"{"answer": "go", "reason": "fine"}"#));
    bed.start_stage("v2", judged).await;
    bed.start_alias_with(
        "f2",
        json!({"PreWarm": {"Environments": 1}, "Probes": {"Requests": [{"Payload": "{}"}]}}),
    )
    .await;
    bed.ready.store(1, std::sync::atomic::Ordering::SeqCst);
    let mut seen = Vec::new();
    bed.until("v2", |rollout| rollout["Phase"] == "Watching").await;
    for name in ["v2", "f2"] {
        for end in [false, true] {
            if end {
                bed.end(name).await;
            }
            let answer = bed.run("GetRollout", json!({"Name": name, "WithDocuments": true})).await.unwrap();
            check(shape("GetRollout"), &answer, "GetRollout", &mut seen);
        }
    }
    bed.traffic(Traffic { per_second: 300.0, ..Traffic::default() });
    let steps = json!([{"Percent": 10, "WaitMs": 1_000, "Gate": true}]);
    bed.start_stage("gated", json!({"Steps": steps, "Reason": "why"})).await;
    bed.until("gated", |rollout| rollout["GateUntil"].is_number()).await;
    let answer = bed.run("GetRollout", json!({"Name": "gated"})).await.unwrap();
    check(shape("GetRollout"), &answer, "GetRollout", &mut seen);
    let together = json!({
        "Name": "t2", "Target": {"LambdaAliases": [{"FunctionName": "toys", "AliasName": "live"}]},
        "Canary": {"FunctionVersions": {"toys": "7"}},
    });
    bed.ok("StartRollout", together).await;
    let answer = bed.run("GetRollout", json!({"Name": "t2"})).await.unwrap();
    check(shape("GetRollout"), &answer, "GetRollout", &mut seen);
    let answer = bed.run("ListRollouts", json!({"MaxResults": 1})).await.unwrap();
    check(shape("ListRollouts"), &answer, "ListRollouts", &mut seen);
    for operation in ["GetRollout", "ListRollouts"] {
        missing(shape(operation), &seen);
    }
    bed.close().await;
}

/// Every member below a shape was seen.
fn missing(shape: ShapeId, seen: &[String]) {
    match &model().shape(shape).kind {
        Shape::Structure(_) => {
            for member in model().members(shape) {
                assert!(seen.iter().any(|name| name == member.name), "{} is never answered", member.name);
                missing(member.reference.shape, seen);
            }
        }
        Shape::List { member, .. } => missing(member.shape, seen),
        _ => {}
    }
}
