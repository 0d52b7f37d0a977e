//! Rollouts: how soon a decision is what new requests get, what a controller does that is killed all the time, and what a rollout of
//! fifty routes weighs.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use pitbird_testkit::{Calls, Client, Server, done, wait_for};
use serde_json::{Value, json};

use super::platform::{binary, resident_bytes};
use super::{Figure, quantile};

/// Rollbacks whose way to the data plane is measured, and callers that look at it.
const ROLLBACKS: usize = 200;
const CALLERS: usize = 4;
/// How often a controller is killed.
const KILLS: usize = 1000;
const DEADLINE: Duration = Duration::from_secs(60);
/// Rollouts that are weighed, after so many that have made room for what every look needs for a moment, and the routes of each.
const WEIGHED: usize = 60;
const BEFORE: usize = 20;
const ROUTES: usize = 50;

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    Ok(vec![rollbacks(root)?, kills(root)?])
}

fn order(operation: &str) -> String {
    format!("PitbirdRollouts_20261101.{operation}")
}

fn rollout(calls: &Calls, name: &str) -> Value {
    let input = json!({"Name": name, "MaxRecords": 0});
    let mut answer = done(calls.json(&order("GetRollout"), input)).json();
    answer["Rollout"].take()
}

fn start(calls: &Calls, name: &str, api: &str, canary: &str, more: Value) {
    let mut input = json!({
        "Name": name,
        "Target": {"RestStage": {"RestApiId": api, "StageName": "prod"}},
        "Canary": {"DeploymentId": canary},
        "Rules": {"Margin": 0.3, "CanaryRequestsMin": 20, "IntervalMs": 50},
    });
    for (member, value) in more.as_object().into_iter().flatten() {
        input[member] = value.clone();
    }
    done(calls.json(&order("StartRollout"), input));
}

fn now_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// An answer as a caller saw it.
struct Seen {
    sent_s: f64,
    is_canary: bool,
    is_right: bool,
}

/// Asks the stage until told to stop. The canary answers 201.
fn ask(url: &str, is_over: &AtomicBool, seen: &Mutex<Vec<Seen>>) {
    let client = Client::default();
    while !is_over.load(Ordering::Relaxed) {
        let sent_s = now_s();
        let status = client.send("GET", url, &[], b"").map_or(0, |answer| answer.status);
        let answer = Seen { sent_s, is_canary: status == 201, is_right: [200, 201].contains(&status) };
        seen.lock().expect("no caller panics").push(answer);
    }
}

/// From a decision to roll back to the last request that still got the canary, by callers' clocks: the same machine's.
fn rollbacks(root: &Path) -> Result<Figure> {
    let server = Server::start(&binary(root).display().to_string());
    let calls = Calls::new(&server.endpoint);
    let (api, resource) = calls.mock_api("rollbacks", 200);
    calls.deploy(&api, json!({"stageName": "prod"}));
    calls.mock(&api, &resource, 201);
    let canary = calls.deploy(&api, json!({}));
    let url = format!("{}/", server.stage_url(&api, "prod"));
    let (is_over, seen) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let (mut live_ms, mut last_ms) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        (0..CALLERS).for_each(|_| drop(scope.spawn(|| ask(&url, &is_over, &seen))));
        for number in 0..ROLLBACKS {
            let name = format!("back-{number}");
            start(&calls, &name, &api, &canary, json!({"Steps": [{"Percent": 50, "WaitMs": 600_000}]}));
            wait_for("half of the traffic", DEADLINE, || {
                let is_there = rollout(&calls, &name)["Percent"] == 50.0;
                let has_canary = || seen.lock().expect("no caller panics").iter().any(|seen| seen.is_canary);
                (is_there && has_canary()).then_some(())
            });
            done(calls.json(&order("AbortRollout"), json!({"Name": name})));
            let ended = wait_for("the end to be written down", DEADLINE, || {
                let rollout = rollout(&calls, &name);
                let is_live = rollout["Shifts"].as_array()?.iter().all(|shift| shift["TookMs"].is_number());
                (rollout["EndedAt"].is_number() && is_live).then_some(rollout)
            });
            let shift =
                ended["Shifts"].as_array().and_then(|shifts| shifts.last()).cloned().unwrap_or_default();
            live_ms.push(shift["TookMs"].as_f64().unwrap_or(f64::NAN));
            let decided_s = shift["DecidedAt"].as_f64().unwrap_or(f64::NAN);
            let mut seen = seen.lock().expect("no caller panics");
            let canary = seen.iter().filter(|seen| seen.is_canary).map(|seen| seen.sent_s);
            last_ms.push((canary.fold(decided_s, f64::max) - decided_s) * 1e3);
            seen.retain(|seen| !seen.is_right);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let failed = seen.into_inner().expect("no caller panics").iter().filter(|seen| !seen.is_right).count();
    let measured = format!(
        "p50 {:.1} ms, p99 {:.1} ms until the data plane has it; the last request that got the canary was sent p50 {:.1} ms, \
         p99 {:.1} ms after the decision, over {ROLLBACKS} rollbacks; {failed} requests failed",
        quantile(&live_ms, 0.5),
        quantile(&live_ms, 0.99),
        quantile(&last_ms, 0.5),
        quantile(&last_ms, 0.99),
    );
    Ok(Figure::new("a rollback, from its decision on", "p99 ≤ 50 ms, no failed request", measured))
}

/// Good and bad releases one after the other, under servers that are killed after a few decisions each.
fn kills(root: &Path) -> Result<Figure> {
    let folder = tempfile::tempdir()?;
    let binary = binary(root).display().to_string();
    let mut server = Server::start_in(&binary, folder.path());
    let mut calls = Calls::new(&server.endpoint);
    let (api, resource) = calls.mock_api("kills", 200);
    let mut live = calls.deploy(&api, json!({"stageName": "prod"}));
    let (mut count, mut releases, mut wrong, mut resumed_ms) = (0, 0_usize, 0, Vec::new());
    while count < KILLS {
        let is_bad = releases % 3 == 2;
        calls.mock(&api, &resource, if is_bad { 500 } else { 200 });
        let canary = calls.deploy(&api, json!({}));
        let name = format!("release-{releases}");
        releases += 1;
        let step = |percent| json!({"Percent": percent, "WaitMs": 300});
        start(&calls, &name, &api, &canary, json!({"Steps": [step(30), step(60), step(100)]}));
        loop {
            // Now early, now late: while it waits, shifts, promotes or rolls back.
            let records =
                rollout(&calls, &name)["RecordCount"].as_u64().unwrap_or_default() + 1 + (count % 5) as u64;
            let url = format!("{}/", server.stage_url(&api, "prod"));
            let has_ended = call_until(&url, || {
                let rollout = rollout(&calls, &name);
                match rollout["EndedAt"].is_number() {
                    true => Some(true),
                    false => (rollout["RecordCount"].as_u64()? >= records).then_some(false),
                }
            })?;
            if has_ended {
                break;
            }
            server.kill();
            count += 1;
            let (began, before_s) = (Instant::now(), now_s());
            server = Server::start_in(&binary, folder.path());
            calls = Calls::new(&server.endpoint);
            wait_for("the rollout to be driven again", DEADLINE, || {
                let rollout = rollout(&calls, &name);
                let is_driven = rollout["LookedAt"].as_f64()? >= before_s || rollout["EndedAt"].is_number();
                is_driven.then_some(())
            });
            resumed_ms.push(began.elapsed().as_secs_f64() * 1e3);
        }
        let status = if is_bad { "RolledBack" } else { "Promoted" };
        live = if is_bad { live } else { canary };
        let stage = done(calls.rest("GET", &format!("/restapis/{api}/stages/prod"), Value::Null)).json();
        let is_right = stage["deploymentId"] == *live && stage.get("canarySettings").is_none();
        wrong += usize::from(rollout(&calls, &name)["Status"] != status || !is_right);
    }
    let measured = format!(
        "{wrong} of {releases} releases ended wrong over {count} kills; driven again p50 {:.0} ms, p99 {:.0} ms after the start \
         of the next server",
        quantile(&resumed_ms, 0.5),
        quantile(&resumed_ms, 0.99),
    );
    Ok(Figure::new(
        "a controller that is killed (SIGKILL) while it decides and shifts",
        "resumed ≤ 1 s, never a wrong shift",
        measured,
    ))
}

/// Sends requests until there is an answer.
fn call_until(url: &str, mut wanted: impl FnMut() -> Option<bool>) -> Result<bool> {
    let (client, began) = (Client::default(), Instant::now());
    loop {
        for _ in 0..10 {
            client.send("GET", url, &[], b"").map_err(anyhow::Error::msg)?;
        }
        if let Some(found) = wanted() {
            return Ok(found);
        }
        ensure!(began.elapsed() < DEADLINE, "the rollout stands still");
    }
}

/// What a server grows by for each further rollout that judges errors, four quantiles and cold starts on fifty routes.
pub fn memory(root: &Path) -> Result<Vec<Figure>> {
    let server = Server::start(&binary(root).display().to_string());
    let calls = Calls::new(&server.endpoint);
    let apis: Vec<(String, String)> =
        (0..BEFORE + WEIGHED).map(|number| routed(&calls, number)).collect::<Result<_>>()?;
    let begin = |numbers: std::ops::Range<usize>| {
        for (number, (api, canary)) in numbers.clone().zip(&apis[numbers]) {
            let more = json!({
                "Routes": ["*"], "Latency": {}, "Steps": [{"Percent": 50, "WaitMs": 600_000}],
                "Rules": {"IntervalMs": 1000, "Margin": 0.3},
            });
            start(&calls, &format!("weighed-{number}"), api, canary, more);
        }
    };
    let settle = || {
        for (api, _) in &apis {
            (0..600).for_each(|at| drop(calls.fetch(api, "prod", &format!("/r{}", at % (ROUTES - 1)))));
        }
    };
    settle();
    let idle = resident_bytes(server.pid())?;
    begin(0..BEFORE);
    settle();
    let before = resident_bytes(server.pid())?;
    begin(BEFORE..BEFORE + WEIGHED);
    settle();
    let after = resident_bytes(server.pid())?;
    let grown = |bytes: f64, rollouts: usize| bytes / rollouts as f64 / 1024.0;
    let measured = format!(
        "{:.0} KiB of the server's resident memory for each of {WEIGHED} further rollouts, {:.0} KiB for each of the {BEFORE} before",
        grown(after - before, WEIGHED),
        grown(before - idle, BEFORE),
    );
    Ok(vec![Figure::new("a rollout of 50 routes and 6 metrics", "≤ 64 KiB", measured)])
}

/// An API of so many routes, and another deployment of it.
fn routed(calls: &Calls, number: usize) -> Result<(String, String)> {
    let (api, root) = calls.mock_api(&format!("weighed-{number}"), 200);
    // The root is one of them.
    for route in 0..ROUTES - 1 {
        let made = calls.rest(
            "POST",
            &format!("/restapis/{api}/resources/{root}"),
            json!({"pathPart": format!("r{route}")}),
        );
        let made = done(made).json();
        let resource = made["id"].as_str().context("a resource has an id")?;
        let method = format!("/restapis/{api}/resources/{resource}/methods/GET");
        done(calls.rest("PUT", &method, json!({"authorizationType": "NONE"})));
        calls.mock(&api, resource, 200);
    }
    calls.deploy(&api, json!({"stageName": "prod"}));
    let canary = calls.deploy(&api, json!({}));
    Ok((api, canary))
}
