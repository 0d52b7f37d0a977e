use pitbird_service::Kind;
use pitbird_wire::{Kind as Shape, Model, ShapeId};

use super::*;

/// The shape of a member by its path: `CorsConfiguration.AllowOrigins[]`.
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
    let api = bed.api().await;
    let integration = |more: Json| {
        let base = json!({
            "ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION, "PayloadFormatVersion": "2.0",
        });
        with(&base, more)
    };
    for (operation, input, name) in [
        ("CreateApi", json!({"Name": "a", "ProtocolType": "WEBSOCKET"}), "protocolType WEBSOCKET"),
        (
            "CreateApi",
            json!({"Name": "a", "ProtocolType": "HTTP", "Target": FUNCTION, "CredentialsArn": "arn"}),
            "credentialsArn",
        ),
        ("CreateIntegration", integration(json!({"ConnectionType": "VPC_LINK"})), "connectionType VPC_LINK"),
        ("CreateIntegration", integration(json!({"ConnectionId": "a"})), "ConnectionId"),
        (
            "CreateIntegration",
            integration(json!({"IntegrationSubtype": "SQS-SendMessage"})),
            "IntegrationSubtype",
        ),
        ("CreateIntegration", integration(json!({"TlsConfig": {"ServerNameToVerify": "a"}})), "TlsConfig"),
        ("CreateIntegration", integration(json!({"CredentialsArn": "arn"})), "CredentialsArn"),
        (
            "CreateRoute",
            json!({"ApiId": api, "RouteKey": "GET /", "ApiKeyRequired": true}),
            "apiKeyRequired true",
        ),
        (
            "CreateRoute",
            json!({"ApiId": api, "RouteKey": "GET /", "RequestModels": {"a": "b"}}),
            "RequestModels",
        ),
        (
            "CreateStage",
            json!({"ApiId": api, "StageName": "a", "ClientCertificateId": "b"}),
            "ClientCertificateId",
        ),
    ] {
        assert_eq!(bed.run(operation, input).await.expect_err(name), unsupported(name));
    }
    let mock = integration(json!({"IntegrationType": "MOCK"}));
    let refused = bed.run("CreateIntegration", mock).await.expect_err("no mocks");
    assert_eq!(refused, bad("MOCK integrations are supported only for WebSocket APIs"));
}

/// What belongs to WebSocket APIs is no operation of ours: control answers that it isn't implemented, by its name.
#[test]
fn operations_of_websocket_apis_are_not_there() {
    let bed = Bed::new();
    for name in
        ["CreateModel", "CreateRouteResponse", "CreateIntegrationResponse", "DeleteRouteRequestParameter"]
    {
        assert!(
            wire_model().operation(name).is_some() && !bed.service.operations().any(|known| known == name)
        );
    }
}
