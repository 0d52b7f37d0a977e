use pitbird_service::Kind;
use pitbird_wire::{Kind as Shape, Model, ShapeId};

use super::*;

/// The shape of a member by its path: `canarySettings.stageVariableOverrides[]`.
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

#[test]
fn every_inputs_members_are_in_the_model_with_their_kinds() {
    let (bed, model) = (Bed::new(), wire_model());
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
                Shape::Blob { .. } => found.kind == Kind::Blob,
                Shape::Boolean => found.kind == Kind::Boolean,
                Shape::Integer | Shape::Long => found.kind == Kind::Integer,
                Shape::Float | Shape::Double => found.kind == Kind::Float,
                _ => false,
            };
            assert!(fits, "{operation} {} is no {:?}", found.path, found.kind);
        }
    }
}

#[tokio::test]
async fn what_no_operation_heeds_is_refused_by_name() {
    let bed = Bed::new();
    for (operation, input, name) in [
        ("CreateRestApi", json!({"name": "a", "cloneFrom": "b"}), "cloneFrom"),
        ("CreateRestApi", json!({"name": "a", "securityPolicy": "TLS_1_2"}), "securityPolicy"),
        (
            "PutIntegration",
            with(&at("a", "b", "GET"), json!({"type": "MOCK", "connectionId": "link"})),
            "connectionId",
        ),
    ] {
        assert_eq!(bed.run(operation, input).await.expect_err(name), unsupported(name));
    }
}

#[tokio::test]
async fn the_models_constraints_come_first() {
    let bed = Bed::new();
    let wrong = json!({"type": "HTTPS_PROXY"});
    let refused =
        bed.run("PutIntegration", with(&at("a", "b", "GET"), wrong)).await.expect_err("no such type");
    let message = "1 validation error detected: Value 'HTTPS_PROXY' at 'putIntegrationInput.type' failed to satisfy \
                   constraint: Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]";
    assert_eq!(refused, refusal(400, "ValidationException", message));
    let operations = json!([patch("replace", "/description", "x"), patch("wrong", "/a", "b")]);
    let refused = bed.patch_stage("a", "b", operations).await.expect_err("no such op");
    let message = "1 validation error detected: Value 'wrong' at 'updateStageInput.patchOperations.2.member.op' failed \
                   to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]";
    assert_eq!(refused, refusal(400, "ValidationException", message));
}
