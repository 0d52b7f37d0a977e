//! What TestInvokeMethod and TestInvokeAuthorizer hand to the data plane, and what they make of what comes back.

use pitbird_snapshot::{Authorization, Stage};

use super::*;
use crate::trial::{Judged, Later, Log, Trial, Trials, Tried, Untried};

/// A data plane that says what it was handed. Paths that end in `header`, `path` and `method` can't be tried.
pub struct Echo;

fn lines() -> Log {
    Log { request_id: "id".to_owned(), lines: vec![(0, "began".to_owned())] }
}

/// All that a trial has beside its stage.
fn seen(trial: &Trial) -> Json {
    let Trial { resource_id, verb, path, query, headers, body, additional_context, stage, caller } = trial;
    json!({
        "resource": resource_id, "verb": verb, "path": path, "query": query, "headers": headers, "body": body,
        "additional": additional_context, "stage": stage.record.name, "variables": stage.base.variables,
        "certificate": stage.record.client_certificate_id, "principal": caller.principal,
        "routes": routes(stage),
    })
}

/// Paths, methods and how these are guarded.
fn routes(stage: &Stage) -> Vec<String> {
    let routes = stage.base.deployment.router.iter().map(|(path, resource)| {
        let guard = match resource.method("GET").map(|method| &method.authorization) {
            Some(Authorization::Function(function)) => format!("by function {}", function.id),
            Some(Authorization::Pools { authorizer, .. }) => format!("by pools {}", authorizer.id),
            Some(_) => "open".to_owned(),
            None => "no GET".to_owned(),
        };
        format!("{path} {guard}")
    });
    let mut routes: Vec<String> = routes.collect();
    routes.sort();
    routes
}

impl Trials for Echo {
    fn method(&self, trial: Trial) -> Later<'_, Result<Tried, Untried>> {
        Box::pin(async move {
            match trial.path.as_str() {
                "/header" => return Err(Untried::Header("a b".to_owned())),
                "/headers" => return Err(Untried::HeadersTooLarge),
                "/path" => return Err(Untried::Path),
                "/method" => return Err(Untried::Method),
                _ => {}
            }
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let headers = vec![pair("X-One", "1"), pair("X-Two", "1"), pair("X-Two", "2")];
            let body = seen(&trial).to_string().into_bytes();
            Ok(Tried { status: 418, headers, body, latency_ms: 7, log: lines() })
        })
    }

    fn authorizer(&self, trial: Trial) -> Later<'_, Result<Judged, Untried>> {
        Box::pin(async move {
            let passes = trial.query.is_empty();
            Ok(Judged {
                client_status: if passes { 0 } else { 401 },
                latency_ms: 7,
                log: lines(),
                principal_id: passes.then(|| "ada".to_owned()),
                policy: passes.then(|| seen(&trial).to_string()),
                claims: passes.then(|| vec![("sub".to_owned(), "ada".to_owned())]),
            })
        })
    }
}

const LOG: &str = "Execution log for request id\nThu Jan 01 00:00:00 UTC 1970 : began\n";

fn read(text: &Json) -> Json {
    serde_json::from_str(text.as_str().expect("a text")).expect("JSON")
}

#[tokio::test]
async fn a_method_is_tried_as_it_is_now() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let certificate = bed.ok("GenerateClientCertificate", json!({})).await["clientCertificateId"].clone();
    // Another method that may not be deployed is nobody's concern.
    let pets =
        bed.ok("CreateResource", json!({"restApiId": api, "parentId": root, "pathPart": "pets"})).await;
    let pets = text(&pets["id"]);
    bed.ok("PutMethod", with(&at(&api, &pets, "GET"), json!({"authorizationType": "NONE"}))).await;

    let plain = bed.ok("TestInvokeMethod", at(&api, &root, "GET")).await;
    let headers = json!({"X-One": "1", "X-Two": "2"});
    let all = json!({"X-One": ["1"], "X-Two": ["1", "2"]});
    let expected = json!({"status": 418, "body": plain["body"], "headers": headers, "multiValueHeaders": all, "log": LOG,
                          "latency": 7});
    assert_eq!(plain, expected);
    let nothing = json!({
        "resource": root, "verb": "GET", "path": "/", "query": "", "headers": [], "body": "", "additional": {},
        "stage": "test-invoke-stage", "variables": {}, "certificate": null,
        "principal": "arn:aws:iam::000000000000:root", "routes": ["/ open", "/pets open"],
    });
    assert_eq!(read(&plain["body"]), nothing);

    let more = json!({
        "pathWithQueryString": "/a?b=1", "headers": {"X-A": "1"}, "multiValueHeaders": {"X-B": ["2", "3"]}, "body": "text",
        "stageVariables": {"v": "1"}, "clientCertificateId": certificate,
    });
    let full = bed.ok("TestInvokeMethod", with(&at(&api, &root, "GET"), more)).await;
    let given = json!({
        "path": "/a", "query": "b=1", "headers": [["X-A", "1"], ["X-B", "2"], ["X-B", "3"]], "body": "text",
        "variables": {"v": "1"}, "certificate": certificate,
    });
    assert_eq!(read(&full["body"]), with(&nothing, given));
}

#[tokio::test]
async fn what_isnt_there_cant_be_tried() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let pets =
        bed.ok("CreateResource", json!({"restApiId": api, "parentId": root, "pathPart": "pets"})).await;
    let pets = text(&pets["id"]);
    bed.ok("PutMethod", with(&at(&api, &pets, "GET"), json!({"authorizationType": "NONE"}))).await;
    let root = |more| with(&at(&api, &root, "GET"), more);
    for (input, refused) in [
        (at("none", "none", "GET"), missing("Invalid API identifier specified 000000000000:none")),
        (at(&api, "none", "GET"), missing("Invalid Resource identifier specified")),
        (root(json!({"httpMethod": "PUT"})), missing("Invalid Method identifier specified")),
        (at(&api, &pets, "GET"), bad("No integration defined for method")),
        (
            root(json!({"clientCertificateId": "x"})),
            missing("Invalid Client Certificate identifier specified"),
        ),
        (root(json!({"pathWithQueryString": "/header"})), bad("Invalid header specified: a b")),
        (root(json!({"pathWithQueryString": "/headers"})), bad("Request Header Fields Too Large")),
        (root(json!({"pathWithQueryString": "/path"})), bad("Invalid path specified")),
        (root(json!({"pathWithQueryString": "/method"})), missing("Invalid Method identifier specified")),
    ] {
        let shown = input.to_string();
        assert_eq!(bed.run("TestInvokeMethod", input).await.expect_err(&shown), refused, "{shown}");
    }
    let wrong = root(json!({"stageVariables": {"a b": "1"}}));
    assert_eq!(bed.run("TestInvokeMethod", wrong).await.expect_err("no variable").status, 400);
}

#[tokio::test]
async fn an_authorizer_is_asked_for_a_resource_of_its_own() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
               arn:aws:lambda:us-east-1:000000000000:function:judge/invocations";
    let pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_A";
    let function = json!({"restApiId": api, "name": "function", "type": "TOKEN", "authorizerUri": uri,
                          "identitySource": "method.request.header.A"});
    let pools = json!({"restApiId": api, "name": "pool", "type": "COGNITO_USER_POOLS", "providerARNs": [pool],
                       "identitySource": "method.request.header.A"});
    for (input, kind) in [(function, "function"), (pools, "pools")] {
        let id = text(&bed.ok("CreateAuthorizer", input).await["id"]);
        let named = json!({"restApiId": api, "authorizerId": id});
        let more = json!({"headers": {"A": "1"}, "body": "text", "stageVariables": {"v": "1"},
                          "additionalContext": {"c": "2"}});
        let judged = bed.ok("TestInvokeAuthorizer", with(&named, more)).await;
        let policy = json!({
            "resource": "test-invoke-resource-id", "verb": "GET", "path": "/", "query": "", "headers": [["A", "1"]],
            "body": "text", "additional": {"c": "2"}, "stage": "test-invoke-stage", "variables": {"v": "1"},
            "certificate": null, "principal": "arn:aws:iam::000000000000:root",
            "routes": [format!("/ by {kind} {id}")],
        });
        assert_eq!(read(&judged["policy"]), policy);
        let expected = json!({"clientStatus": 0, "log": LOG, "latency": 7, "principalId": "ada", "policy": judged["policy"],
                              "claims": {"sub": "ada"}});
        assert_eq!(judged, expected);
        let refused = with(&named, json!({"pathWithQueryString": "/?no"}));
        let refused = bed.ok("TestInvokeAuthorizer", refused).await;
        assert_eq!(refused, json!({"clientStatus": 401, "log": LOG, "latency": 7}));
    }
    let unknown = json!({"restApiId": api, "authorizerId": "none"});
    let refused = bed.run("TestInvokeAuthorizer", unknown).await.expect_err("no such authorizer");
    assert_eq!(refused, missing("Invalid Authorizer identifier specified"));
}
