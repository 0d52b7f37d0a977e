use pitbird_service::Kind;
use pitbird_wire::{Kind as Shape, ShapeId};

use super::*;

/// The shape of a member by its path: `Tags[].Key`.
fn member(model: &Model, input: ShapeId, path: &str) -> Option<ShapeId> {
    let mut shape = input;
    for piece in path.split('.') {
        let (name, items) = (piece.trim_end_matches("[]"), piece.matches("[]").count());
        shape = model.members(shape).iter().find(|member| member.name == name)?.reference.shape;
        for _ in 0..items {
            let Shape::List { member, .. } = &model.shape(shape).kind else { return None };
            shape = member.shape;
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
                Shape::String => found.kind == Kind::String,
                Shape::Boolean => found.kind == Kind::Boolean,
                Shape::Integer => found.kind == Kind::Integer,
                _ => false,
            };
            assert!(fits, "{operation} {} is no {:?}", found.path, found.kind);
        }
    }
}

/// Every member of every operation is heeded, so none can be refused; this notices when a new model brings one.
#[test]
fn no_member_of_a_written_operation_is_forgotten() {
    let (bed, model) = (Bed::new(), wire_model());
    for operation in bed.service.operations() {
        let heeded = bed.service.input_members(operation).expect(operation);
        let Some(input) = model.operation(operation).expect(operation).input else { continue };
        for member in model.members(input) {
            let is_page = matches!(member.name, "Marker" | "MaxItems")
                && matches!(operation, "ListInstanceProfilesForRole" | "ListAccountAliases");
            let is_heeded = heeded.iter().any(|heeded| heeded.path == member.name);
            assert!(is_heeded || is_page, "{operation} forgets {}", member.name);
        }
    }
}

#[tokio::test]
async fn bad_input_breaks_a_constraint_and_changes_nothing() {
    let bed = Bed::new();
    let whole = json!({"RoleName": "r", "AssumeRolePolicyDocument": TRUST});
    for (operation, input, member) in [
        ("CreateRole", json!({"RoleName": "r"}), "assumeRolePolicyDocument"),
        ("CreateRole", with(whole.clone(), json!({"RoleName": "a b"})), "roleName"),
        ("CreateRole", with(whole.clone(), json!({"RoleName": "r".repeat(65)})), "roleName"),
        ("CreateRole", with(whole.clone(), json!({"Path": "no-slash"})), "path"),
        ("CreateRole", with(whole.clone(), json!({"MaxSessionDuration": 3599})), "maxSessionDuration"),
        ("CreateRole", with(whole, json!({"Tags": [{"Key": "", "Value": "x"}]})), "tags"),
        ("GetPolicy", json!({"PolicyArn": "short"}), "policyArn"),
        ("ListRoles", json!({"MaxItems": 1001}), "maxItems"),
        ("ListPolicies", json!({"Scope": "Mine"}), "scope"),
    ] {
        let (status, code, message) = bed.refused(operation, input.clone()).await;
        assert_eq!((status, code.as_str()), (400, "ValidationError"), "{message}");
        assert!(message.contains(" detected: ") && message.contains(member), "{input} {message}");
    }
    assert_eq!(bed.ok("ListRoles", json!({})).await["Roles"], json!([]));
}
