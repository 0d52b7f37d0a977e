//! Moving all traffic while the server is at full load: how long until every new request is on the right track, and
//! whether any request failed or saw two releases.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use pitbird_testkit::{Client, get};
use serde_json::json;

use super::platform::{BODY, api, call, deploy, put_mock, serve};
use super::{Figure, quantile};

const SWITCHES: usize = 1000;

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    let server = serve(root);
    let (id, resource) = api(&server)?;
    put_mock(&server, &id, &resource)?;
    deploy(&server, &id, &json!({ "stageName": "prod" }))?;
    let response = format!("/restapis/{id}/resources/{resource}/methods/GET/integration/responses/200");
    call(
        &server,
        "PUT",
        &response,
        &json!({ "responseTemplates": { "application/json": BODY.replace("hello", "canary") } }),
    )?;
    deploy(&server, &id, &json!({ "stageName": "prod", "canarySettings": { "percentTraffic": 0.0 } }))?;
    let url = format!("{}/", server.stage_url(&id, "prod"));
    let load = Command::new("wrk")
        .args(["-t2", "-c64", "-d600s", &url])
        .stdout(Stdio::piped())
        .spawn()
        .context("wrk")?;
    let mut load = load;
    // Whoever shifts traffic keeps his connection, as AWS's SDKs do.
    let client = Client::default();
    let stage = format!("{}/restapis/{id}/stages/prod", server.endpoint);
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    let mut ms = Vec::new();
    let mut wrong = 0;
    for switch in 0..SWITCHES {
        let to_canary = switch % 2 == 0;
        let percent = if to_canary { "100.0" } else { "0.0" };
        let operation =
            json!({ "op": "replace", "path": "/canarySettings/percentTraffic", "value": percent });
        let patch = json!({ "patchOperations": [operation] }).to_string();
        let began = Instant::now();
        let answer = client.send("PATCH", &stage, &headers, patch.as_bytes()).map_err(anyhow::Error::msg)?;
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
        ensure!(answer.is_success(), "{}", answer.text());
        // The call has returned, so every request from now on must be on its side.
        for _ in 0..3 {
            let answer = get(&url);
            wrong += usize::from(answer.status != 200 || answer.text().contains("canary") != to_canary);
        }
    }
    let _asked = Command::new("kill").args(["-INT", &load.id().to_string()]).status();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut load.stdout.take().context("piped")?, &mut text)?;
    load.wait()?;
    ensure!(!text.contains("Non-2xx"), "requests failed under load: {text}");
    let measured = format!(
        "p50 {:.1} ms, p99 {:.1} ms over {SWITCHES} switches; {wrong} of {} requests on the wrong track, none failed",
        quantile(&ms, 0.5),
        quantile(&ms, 0.99),
        SWITCHES * 3
    );
    Ok(vec![Figure::new("all traffic moved, at full load", "p99 ≤ 10 ms, none failed or mixed", measured)])
}
