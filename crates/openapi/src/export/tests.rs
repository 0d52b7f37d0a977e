use pitbird_records::{DocumentationLocation, DocumentationPart};
use serde_json::json;

use super::*;
use crate::rest::tests::{fresh, over};
use crate::rest::{BasePath, Mode, Picture};
use crate::{read, text};

const LAMBDA: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                      arn:aws:lambda:us-east-1:000000000000:function:f/invocations";

/// An API with everything that a document can tell.
fn rich() -> Value {
    let mock = json!({"type": "mock", "passthroughBehavior": "when_no_templates", "contentHandling": "CONVERT_TO_TEXT",
        "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200",
            "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
            "responseTemplates": {"application/json": "{}\n"}}}});
    let http = json!({"type": "http", "httpMethod": "POST", "uri": "https://example.com/{id}", "timeoutInMillis": 1000,
        "cacheNamespace": "own", "cacheKeyParameters": ["method.request.path.id"],
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
        "responses": {"2\\d{2}": {"statusCode": "200"}, "default": {"statusCode": "500"}}});
    let proxy = json!({"type": "aws_proxy", "httpMethod": "POST", "uri": LAMBDA});
    json!({
        "openapi": "3.0.1",
        "info": {"title": "rich", "version": "2", "description": "all"},
        "paths": {
            "/": {"options": {"x-amazon-apigateway-integration": mock, "responses": {"200": {"description": "",
                "headers": {"Access-Control-Allow-Origin": {"schema": {"type": "string"}}}}}}},
            "/pets/{id}": {"post": {
                "operationId": "put", "security": [{"token": []}, {"key": []}],
                "parameters": [{"name": "id", "in": "path", "required": true}, {"name": "q", "in": "query"},
                    {"name": "H", "in": "header", "required": true}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
                "responses": {"200": {"description": "", "content": {"application/json": {"schema":
                    {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}}}}, "500": {"description": ""}},
                "x-amazon-apigateway-request-validator": "all", "x-amazon-apigateway-integration": http}},
            "/x/{proxy+}": {"x-amazon-apigateway-any-method": {"security": [{"pool": ["a/b"]}], "responses": {},
                "x-amazon-apigateway-integration": proxy}},
            "/y": {"get": {"security": [{"sig": []}], "responses": {}, "x-amazon-apigateway-integration": proxy}},
            "/empty": {},
        },
        "components": {
            "schemas": {"Pet": {"type": "object", "properties": {"friend": {"$ref": "#/components/schemas/Pet"}}}},
            "securitySchemes": {
                "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
                "sig": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
                "token": {"type": "apiKey", "name": "Auth", "in": "header", "x-amazon-apigateway-authtype": "custom",
                    "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": LAMBDA,
                        "identityValidationExpression": "a+", "authorizerResultTtlInSeconds": 60}},
                "pool": {"type": "apiKey", "name": "Authorization", "in": "header",
                    "x-amazon-apigateway-authtype": "cognito_user_pools", "x-amazon-apigateway-authorizer":
                        {"type": "cognito_user_pools", "providerARNs": ["arn:aws:cognito-idp:x:1:userpool/y"]}}}},
        "x-amazon-apigateway-request-validators":
            {"all": {"validateRequestBody": true, "validateRequestParameters": true}},
        "x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": {"statusCode": "418",
            "responseParameters": {"gatewayresponse.header.X": "'1'"}, "responseTemplates": {"a/b": "c"}}},
        "x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": []},
        "x-amazon-apigateway-binary-media-types": ["image/*"],
        "x-amazon-apigateway-minimum-compression-size": 10,
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": true},
    })
}

fn imported(tree: &Value, onto: Picture) -> Picture {
    let document = read::document(text::to_json(tree).as_bytes()).expect("a document");
    let laid = over(&document, onto, Mode::Overwrite, BasePath::Ignore);
    assert!(laid.warnings.is_empty() && laid.errors.is_empty(), "{laid:?}");
    let mut picture = laid.picture;
    // What the service fills in.
    picture
        .authorizers
        .iter_mut()
        .for_each(|it| it.identity_source = it.identity_source.take().or(Some("m".into())));
    picture
}

fn frozen(picture: &Picture) -> Deployment {
    let picture = picture.clone();
    Deployment {
        scope: picture.api.scope.clone(),
        api_id: picture.api.id.clone(),
        id: "d".to_owned(),
        description: None,
        created_ms: 1_473_193_869_000,
        api: picture.api,
        resources: picture.resources,
        models: picture.models,
        request_validators: picture.validators,
        authorizers: picture.authorizers,
        gateway_responses: picture.gateway_responses,
    }
}

fn whole(form: Form, documentation: Option<&DocumentationVersion>) -> Export<'_> {
    Export { form, stage: "dev", has_integrations: true, has_authorizers: true, documentation }
}

fn sorted(mut picture: Picture) -> Picture {
    picture.resources.sort_by(|one, other| one.path.cmp(&other.path));
    picture
}

#[test]
fn what_is_exported_imports_as_the_same() {
    let first = imported(&rich(), fresh());
    for form in [Form::Swagger2, Form::OpenApi30] {
        let export = whole(form, None);
        let written = document(&frozen(&first), &export);
        // Over itself: identifiers stay, so all can be compared.
        let again = imported(&written, first.clone());
        assert_eq!(sorted(again), sorted(first.clone()), "{written:#}");
        let yaml = text::to_yaml(&written);
        assert_eq!(text::parse(yaml.as_bytes()), Ok(written), "{yaml}");
    }
}

#[test]
fn nothing_of_the_gateways_is_told_unasked() {
    let first = imported(&rich(), fresh());
    let export = Export { has_integrations: false, has_authorizers: false, ..whole(Form::OpenApi30, None) };
    let written = document(&frozen(&first), &export);
    let told = written.to_string();
    assert!(!told.contains("-integration") && !told.contains("-authorizer\"") && !told.contains("-policy"));
    assert_eq!(written["servers"][0]["url"], "https://api.execute-api.us-east-1.amazonaws.com/{basePath}");
    let mut plain = frozen(&first);
    plain.api.version = None;
    assert_eq!(document(&plain, &export)["info"]["version"], "2016-09-06T20:31:09Z");
}

fn part(location: Value, properties: Value) -> DocumentationPart {
    let text = |name: &str| location.get(name).and_then(Value::as_str).map(str::to_owned);
    DocumentationPart {
        scope: Default::default(),
        api_id: "api".to_owned(),
        id: location.to_string(),
        location: DocumentationLocation {
            kind: text("type").expect("a kind"),
            path: text("path"),
            method: text("method"),
            status_code: text("statusCode"),
            name: text("name"),
        },
        properties: properties.to_string(),
    }
}

fn version(parts: Vec<DocumentationPart>) -> DocumentationVersion {
    DocumentationVersion {
        scope: Default::default(),
        api_id: "api".to_owned(),
        version: "1.0".to_owned(),
        description: None,
        created_ms: 1_473_193_869_000,
        parts,
    }
}

#[test]
fn what_is_written_about_parts_is_told_at_its_place() {
    let said = |text: &str| json!({"description": text, "own": text});
    let of = |kind: &str, path: &str, method: &str| json!({"type": kind, "path": path, "method": method});
    let named = |mut location: Value, name: &str| {
        location["name"] = json!(name);
        location
    };
    let response = |path: &str, status: &str, kind: &str| {
        let mut location = of(kind, path, "*");
        location["statusCode"] = json!(status);
        location
    };
    let about = json!({"info": {"description": "an API", "title": "not it"}, "externalDocs": {"url": "u"}});
    let summary = json!({"description": "puts", "summary": "p", "tags": ["t"], "responses": "not it"});
    let written = version(vec![
        part(json!({"type": "API"}), about),
        part(json!({"type": "RESOURCE", "path": "/y"}), said("a resource")),
        part(of("METHOD", "/pets/{id}", "POST"), summary),
        part(of("METHOD", "/pets", "POST"), said("is inherited by nothing")),
        part(named(of("PATH_PARAMETER", "/", "*"), "id"), said("everywhere")),
        part(named(of("PATH_PARAMETER", "/pets", "*"), "id"), said("below pets")),
        part(named(of("QUERY_PARAMETER", "/pets", "GET"), "q"), said("another method's")),
        part(named(of("QUERY_PARAMETER", "/pe", "POST"), "q"), said("no segment")),
        part(named(of("REQUEST_HEADER", "/pets/{id}", "POST"), "H"), said("a header")),
        part(of("REQUEST_BODY", "/pets/{id}", "POST"), said("a body")),
        part(response("/", "*", "RESPONSE"), said("any")),
        part(response("/", "500", "RESPONSE"), said("failed")),
        part(named(response("/", "*", "RESPONSE_HEADER"), "Access-Control-Allow-Origin"), said("who may")),
        part(json!({"type": "MODEL", "name": "Pet"}), said("a pet")),
        part(json!({"type": "AUTHORIZER", "name": "token"}), said("who is it")),
    ]);
    let frozen = frozen(&imported(&rich(), fresh()));
    let body_of_swagger = "/paths/~1pets~1{id}/post/parameters/3/description";
    for (form, schemas, schemes, body) in [
        (Form::Swagger2, "/definitions", "/securityDefinitions", body_of_swagger),
        (
            Form::OpenApi30,
            "/components/schemas",
            "/components/securitySchemes",
            "/paths/~1pets~1{id}/post/requestBody/description",
        ),
    ] {
        let told = document(&frozen, &whole(form, Some(&written)));
        let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str);
        let post = |below: &str| format!("/paths/~1pets~1{{id}}/post/{below}");
        for (pointer, expected) in [
            ("/info/description".to_owned(), Some("an API")),
            ("/info/title".to_owned(), Some("rich")),
            ("/externalDocs/url".to_owned(), Some("u")),
            ("/paths/~1y/description".to_owned(), Some("a resource").filter(|_| form == Form::OpenApi30)),
            (post("description"), Some("puts")),
            (post("summary"), Some("p")),
            (post("own"), None),
            (post("parameters/0/description"), Some("a header")),
            (post("parameters/1/description"), Some("below pets")),
            (post("parameters/2/description"), None),
            (body.to_owned(), Some("a body")),
            (post("responses/200/description"), Some("any")),
            (post("responses/500/description"), Some("failed")),
            (
                "/paths/~1/options/responses/200/headers/Access-Control-Allow-Origin/description".to_owned(),
                Some("who may"),
            ),
            (format!("{schemas}/Pet/description"), Some("a pet")),
            (format!("{schemas}/Pet/own"), None),
            (format!("{schemes}/token/description"), Some("who is it")),
        ] {
            assert_eq!(text(&pointer), expected, "{form:?} {pointer} {told:#}");
        }
        let own = &told["x-amazon-apigateway-documentation"];
        assert_eq!((&own["version"], &own["createdDate"]), (&json!("1.0"), &json!("2016-09-06T20:31:09Z")));
        let read = read::document(text::to_json(&told).as_bytes()).expect("a document");
        assert_eq!(read.settings.documentation.len(), written.parts.len(), "all parts come back");
        assert_eq!(read.settings.documentation[0].properties["externalDocs"]["url"], "u");
    }
}

#[test]
fn documents_of_others_come_back_as_what_was_made_of_them() {
    let mock = json!({"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200"}}});
    for (name, document_of_others) in pitbird_testkit::DOCUMENTS {
        let tree = text::parse(document_of_others.as_bytes()).expect(name);
        for tree in [pitbird_testkit::with_integrations(tree.clone(), &mock), tree] {
            let read = read::document(text::to_json(&tree).as_bytes()).expect(name);
            let laid = over(&read, fresh(), Mode::Overwrite, BasePath::Ignore);
            assert!(laid.errors.is_empty() && laid.unsupported.is_empty(), "{name}: {laid:#?}");
            let first = laid.picture;
            let operations = first.resources.iter().map(|resource| resource.methods.len()).sum::<usize>();
            assert!(operations > 2, "{name}");
            // Swagger has media types for whole operations only: what differs by them is lost, but once.
            for (form, times) in [(Form::OpenApi30, 1), (Form::Swagger2, 2)] {
                let mut pictures = vec![first.clone()];
                for _ in 0..times {
                    let last = pictures.last().expect("the first");
                    let written = document(&frozen(last), &whole(form, None));
                    let again = read::document(text::to_json(&written).as_bytes()).expect(name);
                    let again = over(&again, last.clone(), Mode::Overwrite, BasePath::Ignore);
                    assert_eq!((again.warnings, again.errors), (vec![], vec![]), "{name} {form:?}");
                    pictures.push(sorted(again.picture));
                }
                assert!(
                    pictures[times] == sorted(pictures[times - 1].clone()),
                    "{name} {form:?} {}",
                    differing(&pictures[times - 1], &pictures[times])
                );
            }
        }
    }
}

/// Where two pictures begin to differ: whole ones are too long to be read.
fn differing(one: &Picture, other: &Picture) -> String {
    let (one, other) = (format!("{one:?}"), format!("{other:?}"));
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let from = |text: &str| text.chars().skip(same.saturating_sub(200)).take(400).collect::<String>();
    format!("{}\n{}", from(&one), from(&other))
}
