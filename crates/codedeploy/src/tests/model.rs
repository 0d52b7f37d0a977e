//! Inputs and answers are what the model says.

use pitbird_service::Kind;
use pitbird_wire::{Kind as Shape, Model, ShapeId};
use serde_json::{Value as Json, json};

use super::bed::{Bed, SCALE, appspec, model, revision};

/// The shape of a member by its path: `alarmConfiguration.alarms[].name`.
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

#[tokio::test]
async fn every_inputs_members_are_in_the_model_with_their_kinds() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), SCALE).await;
    for operation in bed.service().operations() {
        let known = model().operation(operation).unwrap_or_else(|| panic!("{operation} is no operation"));
        for found in bed.service().input_members(operation).expect(operation) {
            let shape = member(model(), known.input.expect("an input"), &found.path);
            let shape = shape.unwrap_or_else(|| panic!("{operation} has no {}", found.path));
            let fits = match &model().shape(shape).kind {
                // What other platforms have is looked at only to be refused.
                _ if found.kind == Kind::Any => true,
                Shape::Structure(_) => found.kind == Kind::Structure,
                Shape::List { .. } => found.kind == Kind::List,
                Shape::Map { .. } => found.kind == Kind::Map,
                Shape::String => found.kind == Kind::String,
                Shape::Boolean => found.kind == Kind::Boolean,
                Shape::Integer | Shape::Long => found.kind == Kind::Integer,
                Shape::Double | Shape::Float | Shape::Timestamp(_) => found.kind == Kind::Float,
                _ => false,
            };
            assert!(fits, "{operation} {} is no {:?}", found.path, found.kind);
        }
    }
    bed.close().await;
}

/// Holds an answer against its shape: no member that the model doesn't have, none of another kind.
fn check(shape: ShapeId, value: &Json, path: &str) {
    let known = model().shape(shape);
    match (&known.kind, value) {
        (_, Json::Null) => {}
        (Shape::Structure(_), Json::Object(members)) => {
            for (name, value) in members {
                let member = model().members(shape).iter().find(|member| member.name == *name);
                let member = member.unwrap_or_else(|| panic!("{path} has no {name}"));
                check(member.reference.shape, value, &format!("{path}.{name}"));
            }
        }
        (Shape::List { member, .. }, Json::Array(items)) => {
            items.iter().for_each(|item| check(member.shape, item, path));
        }
        (Shape::String, Json::String(text)) => {
            let choices = &known.constraints.choices;
            let is_known = choices.is_empty() || choices.contains(&text.as_str());
            // As AWS documents it, beside its model.
            assert!(is_known || path.ends_with("deploymentTargetType"), "{path} is {text}");
        }
        (Shape::Boolean, Json::Bool(_)) => {}
        (Shape::Integer | Shape::Long, Json::Number(number)) => assert!(number.is_i64(), "{path}"),
        (Shape::Double | Shape::Float | Shape::Timestamp(_), Json::Number(_)) => {}
        (kind, value) => panic!("{path} is {value}, not {kind:?}"),
    }
}

#[tokio::test]
async fn every_answers_members_are_in_the_model() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), SCALE).await;
    bed.around().alarms.insert("errors".into(), false);
    bed.group(json!({
        "alarmConfiguration": {"enabled": true, "alarms": [{"name": "errors"}]},
        "autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
        "triggerConfigurations": [{
            "triggerName": "t", "triggerTargetArn": "https://hooks.example/x", "triggerEvents": ["DeploymentStop"],
        }],
        "tags": [{"Key": "team", "Value": "birds"}],
    }))
    .await;
    let first = bed.deploy("AllAtOnce", &[], json!({"description": "one"})).await;
    bed.end(&first).await;
    bed.around().alarms.insert("errors".into(), true);
    let back = appspec(&[]).replace(
        "\"CurrentVersion\":\"1\",\"TargetVersion\":\"2\"",
        "\"CurrentVersion\":\"2\",\"TargetVersion\":\"1\"",
    );
    let second = bed.deploy("AllAtOnce", &[], json!({"revision": revision(&back)})).await;
    let stopped = bed.end(&second).await;
    let rollback = stopped["rollbackInfo"]["rollbackDeploymentId"].clone();
    let group = json!({"applicationName": "app", "deploymentGroupName": "group"});
    let known = json!({"applicationName": "app", "revision": revision(&appspec(&[]))});
    let arn = "arn:aws:codedeploy:us-east-1:000000000000:deploymentgroup:app/group";
    let config = |name: &str| json!({"deploymentConfigName": format!("CodeDeployDefault.Lambda{name}")});
    for (operation, input) in [
        ("GetApplication", json!({"applicationName": "app"})),
        ("BatchGetApplications", json!({"applicationNames": ["app"]})),
        ("ListApplications", json!({})),
        ("GetDeploymentGroup", group.clone()),
        (
            "BatchGetDeploymentGroups",
            json!({"applicationName": "app", "deploymentGroupNames": ["group", "none"]}),
        ),
        ("ListDeploymentGroups", json!({"applicationName": "app"})),
        ("GetDeploymentConfig", config("Canary10Percent5Minutes")),
        ("GetDeploymentConfig", config("Linear10PercentEvery1Minute")),
        ("GetDeploymentConfig", config("AllAtOnce")),
        ("ListDeploymentConfigs", json!({})),
        ("GetDeployment", json!({"deploymentId": first})),
        ("GetDeployment", json!({"deploymentId": second})),
        ("GetDeployment", json!({"deploymentId": rollback})),
        ("BatchGetDeployments", json!({"deploymentIds": [first]})),
        ("ListDeployments", group.clone()),
        ("GetDeploymentTarget", json!({"deploymentId": second, "targetId": "pets:live"})),
        ("BatchGetDeploymentTargets", json!({"deploymentId": first, "targetIds": ["pets:live"]})),
        ("ListDeploymentTargets", json!({"deploymentId": first})),
        ("GetApplicationRevision", known.clone()),
        ("BatchGetApplicationRevisions", json!({"applicationName": "app", "revisions": [known["revision"]]})),
        ("ListApplicationRevisions", json!({"applicationName": "app"})),
        ("ListTagsForResource", json!({"ResourceArn": arn})),
    ] {
        let answer = bed.ok(operation, input).await;
        let output = model().operation(operation).and_then(|known| known.output).expect("an output");
        check(output, &answer, operation);
    }
    bed.close().await;
}
