//! Moving all traffic while the server is at full load: how long until every new request is on the right track, and
//! whether any request failed or saw two releases.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::connection::{Connection, address};
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
    let stage_url = format!("{}/restapis/{id}/stages/prod", server.endpoint);
    let mut load = Command::new("wrk")
        .args(["-t2", "-c64", "-d600s", &url])
        .stdout(Stdio::piped())
        .spawn()
        .context("wrk")?;
    // Who calls from another machine doesn't wait for a turn on this one's processors: the goal is for what pitbird takes.
    let apart = if set_scheduling("--rr", "1")? {
        let switches = switches(&stage_url, &url)?;
        set_scheduling("--other", "0")?;
        Some(switches)
    } else {
        None
    };
    let among = switches(&stage_url, &url)?;
    let _asked = Command::new("kill").args(["-INT", &load.id().to_string()]).status();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut load.stdout.take().context("piped")?, &mut text)?;
    load.wait()?;
    ensure!(!text.contains("Non-2xx"), "requests failed under load: {text}");
    let measured = match apart {
        Some(apart) => format!(
            "{apart}, none failed, by a caller that has its turn at once (SCHED_RR); by one that waits for turns among wrk's threads: \
             {among}"
        ),
        None => format!("{among}, none failed, by a caller that waits for turns among wrk's threads"),
    };
    Ok(vec![Figure::new("all traffic moved, at full load", "p99 ≤ 10 ms, none failed or mixed", measured)])
}

/// Moves all traffic forth and back, and looks after each move where new requests go. Whoever shifts traffic keeps his connection, as
/// AWS's SDKs do.
fn switches(stage_url: &str, url: &str) -> Result<String> {
    let ((address, stage), (_, path)) = (address(stage_url)?, address(url)?);
    let mut caller = Connection::open(address)?;
    let mut ms = Vec::new();
    let mut wrong = 0;
    for switch in 0..SWITCHES {
        let to_canary = switch % 2 == 0;
        let percent = if to_canary { "100.0" } else { "0.0" };
        let operation =
            json!({ "op": "replace", "path": "/canarySettings/percentTraffic", "value": percent });
        let patch = json!({ "patchOperations": [operation] }).to_string();
        let began = Instant::now();
        caller.ask("PATCH", stage, &patch)?;
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
        // The call has returned, so every request from now on must be on its side, whatever connection it comes on.
        for _ in 0..3 {
            let answer = Connection::open(address)?.ask("GET", path, "")?;
            wrong += usize::from(answer.contains("canary") != to_canary);
        }
    }
    let (p50, p99) = (quantile(&ms, 0.5), quantile(&ms, 0.99));
    let asked = SWITCHES * 3;
    Ok(format!(
        "p50 {p50:.1} ms, p99 {p99:.1} ms over {SWITCHES} switches, {wrong} of {asked} requests on the wrong track"
    ))
}

/// Sets the policy of the calling thread, which has to be the process's first; false where that isn't permitted.
fn set_scheduling(policy: &str, priority: &str) -> Result<bool> {
    let process = std::process::id().to_string();
    let chrt = Command::new("chrt")
        .args(["--reset-on-fork", policy, "--pid", priority, &process])
        .stderr(Stdio::null())
        .status()
        .context("chrt")?;
    Ok(chrt.success())
}
