//! What metrics and logs of requests cost: a server that takes them, beside one that takes none.

use std::path::Path;

use anyhow::Result;
use pitbird_testkit::Server;
use serde_json::json;

use super::load::{alternate, cpu_per_request_us};
use super::platform::{api, call, deploy, put_mock, serve, serve_with};
use super::{Figure, Options, median};

/// An access log's line as API Gateway's console proposes it.
const FORMAT: &str = r#"{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime","httpMethod":"$context.httpMethod","resourcePath":"$context.resourcePath","status":"$context.status","protocol":"$context.protocol","responseLength":"$context.responseLength"}"#;

/// A mock's requests, which have nothing else that costs much: with detailed metrics and an access log, and with neither.
pub fn figures(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let (on, off) = (serve(root), serve_with(root, &["--without-telemetry"])?);
    let (with, without) = (mocked(&on, true)?, mocked(&off, false)?);
    let (ours, theirs, ratio) = alternate(&with, &without, options)?;
    let (mut of_on, mut of_off, mut differences) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let with_us = cpu_per_request_us(&[on.pid()], &with, options)?;
        let without_us = cpu_per_request_us(&[off.pid()], &without, options)?;
        of_on.push(with_us);
        of_off.push(without_us);
        differences.push(with_us - without_us);
    }
    let throughput = format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)");
    let cpu =
        format!("{:.2} µs ({:.2} against {:.2} µs)", median(&differences), median(&of_on), median(&of_off));
    Ok(vec![
        Figure::new(
            "MOCK with metrics, detailed metrics and an access log, against a server without telemetry",
            "≥ 0.95 ×",
            throughput,
        ),
        Figure::new(
            "— CPU of these metrics and logs per request, also what files them behind the request",
            "",
            cpu,
        ),
    ])
}

fn mocked(server: &Server, is_told: bool) -> Result<String> {
    let (id, resource) = api(server)?;
    put_mock(server, &id, &resource)?;
    deploy(server, &id, &json!({ "stageName": "prod" }))?;
    if is_told {
        let set = |path: &str, value: &str| json!({ "op": "replace", "path": path, "value": value });
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
