use pitbird_service::Kind;
use pitbird_wire::{Kind as Shape, ShapeId};

use super::*;

/// The shape of a member by its path: `MetricData[].Values[]`.
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
    let (bed, model) = (Bed::new(), wire_model());
    for operation in bed.service.operations() {
        let known = model.operation(operation).unwrap_or_else(|| panic!("{operation} is no operation"));
        for found in bed.service.input_members(operation).expect(operation) {
            let shape = member(model, known.input.expect("an input with members"), &found.path);
            let shape = shape.unwrap_or_else(|| panic!("{operation} has no {}", found.path));
            let fits = match &model.shape(shape).kind {
                Shape::Structure(_) => found.kind == Kind::Structure,
                Shape::List { .. } => found.kind == Kind::List,
                Shape::Map { .. } => found.kind == Kind::Map,
                Shape::String => found.kind == Kind::String,
                Shape::Boolean => found.kind == Kind::Boolean,
                Shape::Integer | Shape::Long => found.kind == Kind::Integer,
                Shape::Float | Shape::Double | Shape::Timestamp(_) => found.kind == Kind::Float,
                _ => false,
            };
            assert!(fits, "{operation} {} is no {:?}", found.path, found.kind);
        }
    }
}

#[tokio::test]
async fn what_no_operation_heeds_is_refused_by_name() {
    let bed = Bed::new();
    let query = |query: Json| json!({"MetricDataQueries": [query], "StartTime": 0, "EndTime": 1});
    let action = "arn:aws:sns:us-east-1:000000000000:t";
    let detector = json!({"Namespace": "N", "MetricName": "m", "Stat": "Average"});
    let alarm = |more: Json| with(&alarm_input("a"), more);
    for (operation, input, name) in [
        ("PutMetricData", json!({"Namespace": "N", "EntityMetricData": []}), "EntityMetricData"),
        (
            "PutMetricData",
            json!({"Namespace": "N", "StrictEntityValidation": true}),
            "StrictEntityValidation",
        ),
        ("ListMetrics", json!({"IncludeLinkedAccounts": true}), "IncludeLinkedAccounts"),
        ("ListMetrics", json!({"OwningAccount": "1"}), "OwningAccount of another account"),
        (
            "GetMetricData",
            query(json!({"Id": "a", "Expression": "SERVICE_QUOTA(a)"})),
            "Metric math function SERVICE_QUOTA",
        ),
        (
            "PutAnomalyDetector",
            with(&detector, json!({"Configuration": {"MetricTimezone": "America/New_York"}})),
            "Configuration.MetricTimezone America/New_York",
        ),
        (
            "PutAnomalyDetector",
            json!({"SingleMetricAnomalyDetector": with(&detector, json!({"AccountId": "111111111111"}))}),
            "SingleMetricAnomalyDetector.AccountId of another account",
        ),
        ("PutMetricAlarm", alarm(json!({"AlarmActions": [action]})), &format!("AlarmActions {action}")),
        ("PutMetricAlarm", alarm(json!({"OKActions": [action]})), &format!("OKActions {action}")),
        (
            "PutMetricAlarm",
            alarm(json!({"InsufficientDataActions": [action]})),
            &format!("InsufficientDataActions {action}"),
        ),
    ] {
        assert_eq!(bed.refused(operation, input).await, unsupported(name));
    }
}

#[tokio::test]
async fn the_models_constraints_come_first() {
    let bed = Bed::new();
    let input = json!({"AlarmName": "a", "StateValue": "INVALID", "StateReason": ""});
    let words = "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must \
                 satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]";
    assert_eq!(bed.refused("SetAlarmState", input).await, invalid(words));
    let refused = bed.refused("DescribeAlarms", json!({"MaxRecords": 101})).await;
    assert!(refused.message.contains("less than or equal to 100"), "{refused:?}");
}
