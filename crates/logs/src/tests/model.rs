use pitbird_service::Kind;
use pitbird_wire::{Kind as Shape, ShapeId};

use super::*;

/// The shape of a member by its path: `logEvents[].message`.
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
                Shape::Double => found.kind == Kind::Float,
                _ => false,
            };
            assert!(fits, "{operation} {} is no {:?}", found.path, found.kind);
        }
    }
}

#[tokio::test]
async fn what_no_operation_heeds_is_refused_by_name() {
    let bed = Bed::new();
    bed.group("g").await;
    for (operation, input, name) in [
        (
            "CreateLogGroup",
            json!({"logGroupName": "h", "kmsKeyId": "arn:aws:kms:us-east-1:000000000000:key/k"}),
            "kmsKeyId",
        ),
        (
            "CreateLogGroup",
            json!({"logGroupName": "h", "logGroupClass": "INFREQUENT_ACCESS"}),
            "logGroupClass INFREQUENT_ACCESS",
        ),
        ("DescribeLogGroups", json!({"accountIdentifiers": ["000000000000"]}), "accountIdentifiers"),
        ("DescribeLogGroups", json!({"includeLinkedAccounts": true}), "includeLinkedAccounts"),
    ] {
        assert_eq!(bed.refused(operation, input).await, unsupported(name));
    }
    assert_eq!(bed.refused("ListTagsLogGroup", json!({"logGroupName": "h"})).await, no_group());
}

#[tokio::test]
async fn the_models_constraints_come_first() {
    let bed = Bed::new();
    let input = json!({"logGroupName": "g", "limit": 10_001});
    let message = "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have \
                   value less than or equal to 10000";
    assert_eq!(bed.refused("FilterLogEvents", input).await, bad(message));
    let (long, longest) = ("g".repeat(513), "g".repeat(512));
    let message = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
    for (operation, input) in [
        ("CreateLogGroup", json!({"logGroupName": long})),
        ("CreateLogStream", json!({"logGroupName": "", "logStreamName": long})),
        ("PutLogEvents", json!({"logGroupName": long, "logStreamName": longest, "logEvents": []})),
    ] {
        assert_eq!(bed.refused(operation, input).await, bad(message));
    }
    bed.ok("CreateLogGroup", json!({"logGroupName": longest})).await;
    let refused = bed.refused("CreateLogGroup", json!({"logGroupName": "a b"})).await;
    assert!(refused.message.contains("Member must satisfy regular expression pattern"), "{refused:?}");
    let stream = json!({"logGroupName": "g", "logStreamName": "a:b"});
    assert!(bed.refused("CreateLogStream", stream).await.message.contains("logStreamName"));
}
