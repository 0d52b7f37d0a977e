//! What parts of the gateway cost: an HTTP endpoint behind it, many routes, templates, plans, TLS.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use pitbird_testkit::Server;
use serde_json::{Value, json};

use super::load::{alternate, alternate_with};
use super::peers::{self, Program};
use super::platform::{api, bench_binary, call, deploy, put_mock, serve};
use super::{Figure, Options};

/// Resources of the API that has many come in pairs; API Gateway lets an API have 300.
const PAIRS: usize = 145;
/// The pair that is asked for; its lower path is greedy.
const ASKED: usize = 101;
/// Methods of each of them, so that there are 1,160 routes.
const VERBS: [&str; 4] = ["get", "post", "put", "delete"];

/// A template of twenty lines, as APIs have them.
const TEMPLATE: &str = r##"#set($inputRoot = $input.path('$'))
#set($name = $input.params('name'))
#set($stage = $context.stage)
{
  "requestId": "$context.requestId",
  "stage": "$stage",
  "method": "$context.httpMethod",
  "path": "$context.resourcePath",
#if($name && $name != '')
  "name": "$util.escapeJavaScript($name)",
#else
  "name": "nobody",
#end
  "list": [
#foreach($item in [1..3])
    {"number": $item}#if($foreach.hasNext),#end
#end
  ],
  "agent": "$util.escapeJavaScript($input.params('User-Agent'))",
  "source": "$context.identity.sourceIp"
}"##;

pub fn figures(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let server = serve(root);
    let mut figures = vec![http_proxy(root, &server, options)?];
    let plain = mocked(&server, |_, _| Ok(()))?;
    figures.push(routes(&server, options)?);
    let against = |what: &str, goal: &'static str, url: &str| -> Result<Figure> {
        let (ours, theirs, ratio) = alternate(url, &plain, options)?;
        Ok(Figure::new(what, goal, format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)")))
    };
    let templated = mocked(&server, |api, resource| {
        let path = format!("/restapis/{api}/resources/{resource}/methods/GET/integration/responses/200");
        let response = json!({ "responseTemplates": { "application/json": TEMPLATE } });
        call(&server, "PUT", &path, &response).map(|_| ())
    })?;
    figures.push(against("a template of 20 lines, against the same route without", "≥ 0.8 ×", &templated)?);
    let (keyed, key) = planned(&server)?;
    let header = ["-H".to_owned(), format!("x-api-key: {key}")];
    let (ours, theirs, ratio) = alternate_with((&keyed, &header), (&plain, &[]), options)?;
    figures.push(Figure::new(
        "API key, usage plan and throttle, against the same route without",
        "≥ 0.8 ×",
        format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)"),
    ));
    let nginx = peers::nginx_tls()?;
    let secure = plain.replacen("http://", "https://", 1);
    let (ours, theirs, ratio) = alternate(&secure, &nginx.url, options)?;
    figures.push(Figure::new(
        "TLS 1.3, MOCK, against nginx `return 200` with TLS 1.3",
        "≥ 0.8 ×",
        format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)"),
    ));
    Ok(figures)
}

/// An HTTP endpoint behind the gateway, and the same one behind nginx.
fn http_proxy(root: &Path, server: &Server, options: &Options) -> Result<Figure> {
    let endpoint = peers::front_end(root, 64, &Program::new(bench_binary(root, "bench-function")))?;
    let upstream = endpoint.url.trim_start_matches("http://").parse()?;
    let nginx = peers::nginx(Some(upstream))?;
    let (id, resource) = api(server)?;
    let integration =
        json!({ "type": "HTTP_PROXY", "httpMethod": "GET", "uri": format!("{}/", endpoint.url) });
    let path = format!("/restapis/{id}/resources/{resource}/methods/GET/integration");
    call(server, "PUT", &path, &integration)?;
    deploy(server, &id, &json!({ "stageName": "prod" }))?;
    let url = format!("{}/", server.stage_url(&id, "prod"));
    let (ours, theirs, ratio) = alternate(&url, &format!("{}/proxy", nginx.url), options)?;
    let measured = format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)");
    Ok(Figure::new(
        "HTTP_PROXY, 64 connections, against nginx proxy_pass to the same endpoint",
        "≥ 0.9 ×",
        measured,
    ))
}

/// A deployed API with a mock at its root, changed before it is deployed; its URL.
fn mocked(server: &Server, change: impl FnOnce(&str, &str) -> Result<()>) -> Result<String> {
    let (id, resource) = api(server)?;
    put_mock(server, &id, &resource)?;
    change(&id, &resource)?;
    deploy(server, &id, &json!({ "stageName": "prod" }))?;
    Ok(format!("{}/", server.stage_url(&id, "prod")))
}

/// Many routes with parameters and greedy ones, against an API that has only the one that is asked for: what is compared is
/// finding it, not what a longer path with a parameter costs.
fn routes(server: &Server, options: &Options) -> Result<Figure> {
    let (many, one) = (routed(server, 0..PAIRS)?, routed(server, ASKED..ASKED + 1)?);
    let (ours, theirs, ratio) = alternate(&many, &one, options)?;
    let measured = format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)");
    Ok(Figure::new(
        "1,160 routes, with parameters and greedy ones, against the same route alone",
        "≥ 0.97 ×",
        measured,
    ))
}

/// An API with these pairs of paths, deployed; the URL that meets the greedy one of [`ASKED`].
fn routed(server: &Server, pairs: Range<usize>) -> Result<String> {
    let mut paths = serde_json::Map::new();
    let operation = json!({
        "responses": { "200": { "description": "ok" } },
        "x-amazon-apigateway-integration": {
            "type": "mock", "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
            "responses": { "default": { "statusCode": "200", "responseTemplates": {
                "application/json": super::platform::BODY,
            } } },
        },
    });
    let operations: serde_json::Map<String, Value> =
        VERBS.iter().map(|verb| ((*verb).to_owned(), operation.clone())).collect();
    for number in pairs {
        let below = if number % 2 == 0 { "{id}" } else { "{rest+}" };
        paths.insert(format!("/things{number}"), operations.clone().into());
        paths.insert(format!("/things{number}/{below}"), operations.clone().into());
    }
    let document = json!({ "swagger": "2.0", "info": { "title": "many", "version": "1" }, "paths": paths });
    let made = call(server, "POST", "/restapis?mode=import", &document)?;
    let id = made["id"].as_str().context("an API has an id")?.to_owned();
    deploy(server, &id, &json!({ "stageName": "prod" }))?;
    Ok(format!("{}/things{ASKED}/7/parts/8", server.stage_url(&id, "prod")))
}

/// A method that takes a key of a plan with a throttle that is never reached; its URL and the key.
fn planned(server: &Server) -> Result<(String, String)> {
    let url = mocked(server, |api, resource| {
        let path = format!("/restapis/{api}/resources/{resource}/methods/GET");
        let patch = json!([{ "op": "replace", "path": "/apiKeyRequired", "value": "true" }]);
        call(server, "PATCH", &path, &json!({ "patchOperations": patch })).map(|_| ())
    })?;
    let api = url.split("/execute-api/").nth(1).and_then(|rest| rest.split('/').next()).context("an id")?;
    let key = call(server, "POST", "/apikeys", &json!({ "name": "bench", "enabled": true }))?;
    let plan = call(
        server,
        "POST",
        "/usageplans",
        &json!({
            "name": "bench", "apiStages": [{ "apiId": api, "stage": "prod" }],
            "throttle": { "rateLimit": 1e6, "burstLimit": 1_000_000 },
        }),
    )?;
    let word = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let keys = format!("/usageplans/{}/keys", word(&plan, "id"));
    call(server, "POST", &keys, &json!({ "keyId": word(&key, "id"), "keyType": "API_KEY" }))?;
    Ok((url, word(&key, "value")))
}
