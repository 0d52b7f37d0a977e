//! What metrics and logs of requests cost: a server that takes them, beside one that takes none.

use std::path::Path;

use anyhow::Result;
use pitbird_testkit::Server;
use serde_json::json;

use super::load::{alternate, cpu_per_request_us};
use super::platform::{api, call, create_role, deploy, put_mock, serve, serve_with};
use super::{Figure, Options, median};

/// An access log's line as API Gateway's console proposes it.
const FORMAT: &str = r#"{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime","httpMethod":"$context.httpMethod","resourcePath":"$context.resourcePath","status":"$context.status","protocol":"$context.protocol","responseLength":"$context.responseLength"}"#;

/// A mock's requests, which have nothing else that costs much: on a stage as it is made, which has metrics, on one with detailed metrics and
/// an access log besides, and on a server that takes neither.
pub fn figures(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let (on, off) = (serve(root), serve_with(root, &["--without-telemetry"])?);
    let without = mocked(&off, false)?;
    let mut figures = Vec::new();
    for (what, is_told) in [("metrics", false), ("metrics, detailed metrics and an access log", true)] {
        let with = mocked(&on, is_told)?;
        let (ours, theirs, ratio) = alternate(&with, &without, options)?;
        let throughput = format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)");
        let mut differences_us = Vec::new();
        for _ in 0..options.rounds {
            let with_us = cpu_per_request_us(&[on.pid()], &with, options)?;
            differences_us.push(with_us - cpu_per_request_us(&[off.pid()], &without, options)?);
        }
        figures.extend([
            Figure::new(format!("MOCK with {what}, against a server without"), "≥ 0.95 ×", throughput),
            Figure::new(
                "— their CPU for each request, filing behind the request included",
                "",
                format!("{:.2} µs", median(&differences_us)),
            ),
        ]);
    }
    Ok(figures)
}

fn mocked(server: &Server, is_told: bool) -> Result<String> {
    let (id, resource) = api(server)?;
    put_mock(server, &id, &resource)?;
    deploy(server, &id, &json!({ "stageName": "prod" }))?;
    if is_told {
        let set = |path: &str, value: &str| json!({ "op": "replace", "path": path, "value": value });
        let role = create_role(server, "logger", "apigateway")?;
        call(server, "PATCH", "/account", &json!({ "patchOperations": [set("/cloudwatchRoleArn", &role)] }))?;
        let group = "arn:aws:logs:us-east-1:000000000000:log-group:access";
        let patch = json!([
            set("/accessLogSettings/destinationArn", group),
            set("/accessLogSettings/format", FORMAT),
            set("/*/*/metrics/enabled", "true"),
        ]);
        let path = format!("/restapis/{id}/stages/prod");
        call(server, "PATCH", &path, &json!({ "patchOperations": patch }))?;
    }
    Ok(format!("{}/", server.stage_url(&id, "prod")))
}
