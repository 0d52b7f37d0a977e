use proptest::prelude::*;
use serde_json::{Value, json};

use super::document;
use crate::Error;
use crate::document::{Document, Form, Place, Schema, Scheme};

fn read(tree: &Value) -> Document {
    document(tree.to_string().as_bytes()).expect("a document")
}

/// Swagger with these members beside what every document has.
fn swagger(more: Value) -> Value {
    let mut tree = json!({"swagger": "2.0", "info": {"title": "pets", "version": "1"}, "paths": {}});
    let members = more.as_object().expect("members").clone();
    tree.as_object_mut().expect("an object").extend(members);
    tree
}

#[test]
fn only_swagger_2_and_openapi_3_0_are_read() {
    for (tree, form) in [
        (json!({"swagger": "2.0"}), Ok(Form::Swagger2)),
        (json!({"swagger": 2.0}), Ok(Form::Swagger2)),
        (json!({"openapi": "3.0.3"}), Ok(Form::OpenApi30)),
        (json!({"openapi": "3.1.0"}), Err(Error::Version)),
        (json!({"swagger": "1.2"}), Err(Error::Version)),
        (json!({}), Err(Error::Version)),
    ] {
        assert_eq!(document(tree.to_string().as_bytes()).map(|it| it.form), form, "{tree}");
    }
    assert!(matches!(document(b"\xff"), Err(Error::Unreadable(_))));
}

#[test]
fn what_is_missing_or_of_the_wrong_kind_is_a_warning() {
    let warnings = |tree: Value| read(&tree).warnings;
    assert_eq!(
        warnings(json!({"swagger": "2.0"})),
        ["Parse issue: attribute info is missing", "Parse issue: attribute paths is missing"]
    );
    assert_eq!(
        warnings(swagger(json!({"paths": {"/a": 1, "/b": {"get": []}}, "definitions": 1}))),
        [
            "Parse issue: attribute paths.'/a' is not of type `object`",
            "Parse issue: attribute paths.'/b'(get) is not of type `object`",
            "Parse issue: attribute definitions is not of type `object`",
        ]
    );
    let traced = swagger(json!({"paths": {"/a": {"trace": {}, "get": {}}}}));
    assert_eq!(read(&traced).paths[0].operations.len(), 1);
    assert_eq!(warnings(traced), ["Unsupported method 'TRACE /a'. Ignoring."]);
    let basic = swagger(json!({"securityDefinitions": {"b": {"type": "basic"}}}));
    assert_eq!(warnings(basic), ["Unsupported security definition type 'basic' for 'b'. Ignoring."]);
}

#[test]
fn references_are_followed_and_circles_lead_nowhere() {
    let tree = swagger(json!({
        "parameters": {"id": {"name": "id", "in": "path"}, "x": {"$ref": "#/parameters/y"}, "y": {"$ref": "#/parameters/x"}},
        "responses": {"gone": {"description": "", "schema": {"$ref": "#/definitions/Gone"}}},
        "definitions": {"Gone": {"type": "object", "properties": {"own": {"$ref": "#/definitions/Gone"}}}},
        "paths": {"/a/{id}": {
            "parameters": [{"$ref": "#/parameters/id"}, {"$ref": "#/parameters/x"}, {"$ref": "other.json#/x"}],
            "get": {"responses": {"410": {"$ref": "#/responses/gone"}, "200": {"schema": {"$ref": "#/definitions/No"}}}},
        }},
    }));
    let read = read(&tree);
    let operation = &read.paths[0].operations[0];
    assert_eq!(operation.parameters.len(), 1);
    assert!(operation.parameters[0].place == Place::Path && operation.parameters[0].is_required);
    let gone = Schema::Named("Gone".to_owned());
    assert_eq!(operation.responses[0].bodies, [("application/json".to_owned(), gone)]);
    assert_eq!(
        read.warnings,
        [
            "Reference to model 'No' not found. Ignoring.",
            "Reference to parameter 'x' not found. Ignoring.",
            "Reference to parameter 'x' not found. Ignoring.",
        ]
    );
}

#[test]
fn references_that_repeat_too_much_are_no_document() {
    let long = "x".repeat(1 << 20);
    let responses: serde_json::Map<String, Value> =
        (0..100).map(|at| ((100 + at).to_string(), json!({"$ref": "#/responses/big"}))).collect();
    let big = json!({"schema": {"type": "object", "description": long}});
    let tree = swagger(json!({"responses": {"big": big}, "paths": {"/": {"get": {"responses": responses}}}}));
    assert!(matches!(document(tree.to_string().as_bytes()), Err(Error::Expands(_))));
    let security: Vec<Value> = (0..20_000).map(|at| json!({format!("s{at}"): []})).collect();
    let paths: serde_json::Map<String, Value> =
        (0..1000).map(|at| (format!("/p{at}"), json!({"get": {}}))).collect();
    let tree = swagger(json!({"security": security, "paths": paths}));
    assert!(matches!(document(tree.to_string().as_bytes()), Err(Error::Expands(_))));
}

#[test]
fn a_malformed_integration_is_an_error() {
    for integration in [
        json!([]),
        json!({"uri": {"Fn::Sub": "x"}}),
        json!({"requestTemplates": []}),
        json!({"responses": {"default": 1}}),
        json!({"timeoutInMillis": "soon"}),
    ] {
        let operation = json!({"x-amazon-apigateway-integration": integration});
        let read = read(&swagger(json!({"paths": {"/a": {"get": operation}}})));
        assert_eq!(
            read.errors,
            ["Unable to parse API definition because of a malformed integration at path /a."]
        );
    }
}

#[test]
fn schemes_are_told_apart() {
    let tree = json!({"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "paths": {}, "components": {
    "securitySchemes": {
        "key": {"type": "apiKey", "name": "X-API-Key", "in": "header"},
        "iam": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
        "pool": {"type": "apiKey", "name": "Authorization", "in": "header",
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": ["a"]}},
        "jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt",
            "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": "i", "audience": ["b"]}}},
        "broken": {"type": "oauth2", "x-amazon-apigateway-authtype": "custom"},
    }}});
    let read = read(&tree);
    assert!(read.schemes["key"] == Scheme::ApiKey && read.schemes["iam"] == Scheme::Iam);
    assert_eq!(read.schemes["broken"], Scheme::Broken);
    let Scheme::Authorizer(jwt) = &read.schemes["jwt"] else { panic!("no authorizer") };
    assert_eq!((jwt.issuer.as_deref(), jwt.audience.as_slice()), (Some("i"), ["b".to_owned()].as_slice()));
    assert!(read.warnings[0].starts_with("Unable to create authorizer from security definition: 'broken'."));
}

#[test]
fn base_paths_are_found() {
    let server = |url: &str| json!([{"url": url, "variables": {"basePath": {"default": "v1/x"}}}]);
    for (more, path) in [
        (json!({"swagger": "2.0", "basePath": "/a/b/"}), "/a/b"),
        (json!({"swagger": "2.0"}), ""),
        (json!({"openapi": "3.0.0", "servers": server("https://h/{basePath}")}), "/v1/x"),
        (json!({"openapi": "3.0.0", "servers": server("/c")}), "/c"),
        (json!({"openapi": "3.0.0", "servers": server("https://h")}), ""),
    ] {
        assert_eq!(read(&more).base_path, path, "{more}");
    }
}

/// Trees whose names are partly those that documents know.
fn tree() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &[
        "swagger",
        "openapi",
        "info",
        "title",
        "paths",
        "/a/{b}",
        "get",
        "parameters",
        "in",
        "name",
        "schema",
        "$ref",
        "responses",
        "200",
        "definitions",
        "components",
        "schemas",
        "content",
        "application/json",
        "security",
        "securitySchemes",
        "securityDefinitions",
        "x-amazon-apigateway-integration",
        "requestTemplates",
        "x-amazon-apigateway-authorizer",
        "x-amazon-apigateway-policy",
        "requestBody",
        "servers",
        "url",
        "variables",
    ];
    const TEXTS: &[&str] =
        &["2.0", "3.0.1", "path", "body", "#/paths", "#/definitions/a", "#", "/", "é", "oauth2"];
    let name = || proptest::sample::select(NAMES).prop_map(str::to_owned);
    let leaf = prop_oneof![
        proptest::sample::select(TEXTS).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(8, 96, 8, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => proptest::collection::vec((name(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_document_panics(more in proptest::collection::vec(tree(), 8), text in any::<String>()) {
        let mut whole = swagger(json!({}));
        let names = ["paths", "definitions", "components", "security", "securityDefinitions", "parameters", "servers", "info"];
        for (name, tree) in names.into_iter().zip(more) {
            whole[name] = tree;
        }
        for form in [("swagger", "2.0"), ("openapi", "3.0.0")] {
            whole.as_object_mut().expect("an object").remove("swagger");
            whole[form.0] = json!(form.1);
            let read = document(whole.to_string().as_bytes()).expect("a document");
            crate::rest::tests::laid(&read, crate::rest::Mode::Overwrite);
        }
        let _ = document(format!("openapi: 3.0.0\n{text}").as_bytes());
    }
}

#[test]
fn an_http_api_has_no_use_for_what_methods_are_described_by() {
    let tree = json!({
        "openapi": "3.0.1", "info": {"title": "pets", "version": "1"},
        "paths": {"/a": {"get": {
            "parameters": [{"in": "cookie", "name": "c"}, {"in": "query", "name": "q"}],
            "responses": {"default": {"description": "x"}, "200": {"description": "y"}},
        }}},
    });
    let bytes = tree.to_string();
    let passed_over = super::http_api(bytes.as_bytes()).expect("a document");
    assert_eq!(passed_over.warnings, [""; 0]);
    let operation = &passed_over.paths[0].operations[0];
    assert!(operation.parameters.is_empty() && operation.responses.is_empty());
    let heeded = read(&tree);
    assert_eq!((heeded.warnings.len(), heeded.paths[0].operations[0].parameters.len()), (2, 1));
}

#[test]
fn an_integration_has_mappings_by_status_or_is_malformed() {
    let of = |parameters: Value| {
        let integration = json!({"type": "http_proxy", "responseParameters": parameters});
        read(&json!({
            "openapi": "3.0.1", "info": {"title": "pets", "version": "1"},
            "paths": {"/a": {"get": {"x-amazon-apigateway-integration": integration}}},
        }))
    };
    let document = of(json!({"200": {"append:header.a": "b"}}));
    let integration = document.paths[0].operations[0].integration.as_ref().expect("an integration");
    assert_eq!(integration.response_parameters["200"]["append:header.a"], "b");
    for odd in [json!([]), json!({"200": "a"}), json!({"200": {"a": {}}})] {
        assert_eq!(of(odd.clone()).errors.len(), 1, "{odd}");
    }
}
