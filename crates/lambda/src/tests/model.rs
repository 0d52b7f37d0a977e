use pitbird_service::Kind;
use pitbird_wire::{Kind as Shape, ShapeId};

use super::*;

/// The shape of a member by its path: `RoutingConfig.AdditionalVersionWeights[]`.
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
    let (bed, model) = (Bed::new().await, wire_model());
    for operation in bed.service.operations() {
        let known = model.operation(operation).unwrap_or_else(|| panic!("{operation} is no operation"));
        for found in bed.service.input_members(operation).expect(operation) {
            let input = known.input.expect("an input with members");
            let shape = member(model, input, &found.path);
            let shape = shape.unwrap_or_else(|| panic!("{operation} has no {}", found.path));
            let fits = match &model.shape(shape).kind {
                Shape::Structure(_) => found.kind == Kind::Structure,
                Shape::List { .. } => found.kind == Kind::List,
                Shape::Map { .. } => found.kind == Kind::Map,
                Shape::String => found.kind == Kind::String,
                Shape::Boolean => found.kind == Kind::Boolean,
                Shape::Integer | Shape::Long => found.kind == Kind::Integer,
                Shape::Float | Shape::Double => found.kind == Kind::Float,
                Shape::Blob { .. } => found.kind == Kind::Blob,
                _ => false,
            };
            assert!(fits, "{operation} {} is no {:?}", found.path, found.kind);
        }
    }
}

#[tokio::test]
async fn what_no_operation_heeds_is_refused_by_name() {
    let bed = Bed::new().await;
    let update = json!({"FunctionName": "f"});
    for (operation, input, name) in [
        ("CreateFunction", with(function("f"), json!({"Code": {"ImageUri": "i"}})), "Code.ImageUri"),
        ("CreateFunction", with(function("f"), json!({"PackageType": "Image"})), "PackageType Image"),
        ("CreateFunction", with(function("f"), json!({"ImageConfig": {"Command": []}})), "ImageConfig"),
        ("CreateFunction", with(function("f"), json!({"PublishTo": "LATEST_PUBLISHED"})), "PublishTo"),
        ("CreateFunction", with(function("f"), json!({"Runtime": "ruby3.3"})), "Runtime ruby3.3"),
        ("UpdateFunctionCode", with(update, json!({"ImageUri": "i"})), "ImageUri"),
        ("ListFunctions", json!({"MasterRegion": "ALL"}), "MasterRegion"),
    ] {
        assert_eq!(bed.refused(operation, input).await, unsupported(name));
    }
}

#[tokio::test]
async fn the_models_constraints_come_first() {
    let bed = Bed::new().await;
    for (input, words) in [
        (
            json!({"Role": "r1"}),
            "Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: \
             arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
        ),
        (
            json!({"MemorySize": 127}),
            "Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal \
             to 128",
        ),
        (
            json!({"EphemeralStorage": {"Size": 511}}),
            "Value '511' at 'ephemeralStorage.size' failed to satisfy constraint: Member must have value greater than \
             or equal to 512",
        ),
        (
            json!({"Environment": {"Variables": {"A1": null}}}),
            "Value at 'environment.variables' failed to satisfy constraint: Map value must satisfy constraint: \
             [Member must not be null]",
        ),
        (
            json!({"Environment": {"Variables": {"1A": ""}}}),
            "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must \
             satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]",
        ),
        (
            json!({"Tags": {"a": null}}),
            "Value '{a=null}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: [Member must not \
             be null]",
        ),
    ] {
        let message = format!("1 validation error detected: {words}");
        let refused = bed.refused("CreateFunction", with(function("f"), input)).await;
        assert_eq!(refused, refusal(400, "ValidationException", message));
    }
    let weights = json!({"AdditionalVersionWeights": {"2": null}});
    let alias =
        json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1", "RoutingConfig": weights});
    let words = "1 validation error detected: Value '{2=null}' at 'routingConfig.additionalVersionWeights' failed to satisfy \
                 constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member \
                 must have value greater than or equal to 0.0, Member must not be null]";
    assert_eq!(bed.refused("CreateAlias", alias).await, refusal(400, "ValidationException", words));
}
