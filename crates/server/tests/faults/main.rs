//! Faults: servers killed under load and during rollouts, and functions that do their worst.

mod hooks;
mod load;
mod objects;
mod releases;

use std::path::Path;
use std::time::Duration;

use pitbird_testkit::{Calls, Process, Server, done, python, survivors, wait_for};
use serde_json::{Value, json};

use load::Load;
use releases::Releases;

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

/// Kills under load, and during rollouts: fifty in all.
const KILLS_UNDER_LOAD: usize = 30;
const KILLS_DURING_ROLLOUTS: usize = 20;

/// Sandboxes die with their server, but the kernel takes its time to tear them down on a busy machine.
const TEARDOWN: Duration = Duration::from_secs(20);

/// Kills a server and waits until nothing that it started runs any more; how many functions ran in it.
fn kill(mut server: Server) -> usize {
    let family = server.family();
    assert!(!family.is_empty(), "a server has at least its spawner");
    server.kill();
    nothing_is_left(&family);
    family.iter().filter(|process| process.name.starts_with("python")).count()
}

fn nothing_is_left(family: &[Process]) {
    let mut left = Vec::new();
    let deadline = std::time::Instant::now() + TEARDOWN;
    wait_for("all processes to end", TEARDOWN * 2, || {
        left = survivors(family);
        assert!(std::time::Instant::now() < deadline, "still running: {left:?}");
        left.is_empty().then_some(())
    });
}

#[test]
fn every_acknowledged_write_survives_kills_under_load() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start_in(BINARY, folder.path());
    let mut load = Load::prepare(&Calls::new(&server.endpoint));
    let mut functions = 0;
    for round in 0..KILLS_UNDER_LOAD {
        // Now early, now late in the round's life.
        let running = load.start(&Calls::new(&server.endpoint), round);
        running.wait_for_writes(10 + 13 * round % 70);
        functions += kill(server);
        running.finish(&mut load);
        server = Server::start_in(BINARY, folder.path());
        load.check_newest(&Calls::new(&server.endpoint));
    }
    load.check_all(&Calls::new(&server.endpoint));
    assert!(functions > 0, "functions ran when their servers were killed");
    let family = server.family();
    assert!(server.stop().success(), "it stops when asked");
    nothing_is_left(&family);
}

#[test]
fn rollouts_go_on_after_kills_and_end_right() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start_in(BINARY, folder.path());
    let mut releases = Releases::prepare(&Calls::new(&server.endpoint));
    let mut kills = 0;
    while kills < KILLS_DURING_ROLLOUTS {
        let name = releases.start(&Calls::new(&server.endpoint));
        // Killed after so many more decisions and observations have been written down, until the rollout has ended.
        let mut records = 1 + kills % 4;
        while releases.runs_on(&Calls::new(&server.endpoint), &name, records) {
            kill(server);
            kills += 1;
            server = Server::start_in(BINARY, folder.path());
            records += 2 + kills % 5;
        }
        releases.check(&Calls::new(&server.endpoint), &name);
        eprintln!("{name}: {kills} kills so far");
    }
}

#[test]
fn hooks_are_asked_on_after_kills_and_the_release_ends_right() {
    hooks::run(BINARY, kill);
}

/// An event is acknowledged once it is kept: it runs after the server that took it was killed.
#[test]
fn acknowledged_events_run_after_a_kill() {
    const EVENTS: usize = 5;
    // The function is slow, so that none has ended when its server is killed; the test itself waits for log lines.
    const CODE: &str =
        "import time\ndef handler(event, context):\n    time.sleep(2)\n    print('ran', event)\n";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start_in(BINARY, folder.path());
    let calls = Calls::new(&server.endpoint);
    calls.function("slow", &calls.role("slow"), CODE, 10);
    for event in 0..EVENTS {
        let headers = [("X-Amz-Invocation-Type", "Event")];
        let url = format!("{}/2015-03-31/functions/slow/invocations", server.endpoint);
        let answer = pitbird_testkit::post(&url, &headers, format!("\"event-{event}\"").as_bytes());
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    kill(server);
    let server = Server::start_in(BINARY, folder.path());
    let calls = Calls::new(&server.endpoint);
    for event in 0..EVENTS {
        wait_for("an event's line", Duration::from_secs(60), || {
            let query =
                json!({"logGroupName": "/aws/lambda/slow", "filterPattern": format!("\"event-{event}\"")});
            let found = calls.json("Logs_20140328.FilterLogEvents", query).expect("an answer");
            let found = if found.status == 200 { found.json() } else { Value::Null };
            found["events"].as_array().is_some_and(|events| !events.is_empty()).then_some(())
        });
    }
    assert_eq!(done(calls.rest("GET", "/_pitbird/health", Value::Null)).status, 200);
}

#[test]
fn hostile_functions_hurt_only_their_own_invocation() {
    let Some(python) = python() else { return };
    let mut server = Server::start(BINARY);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/hostile.py");
    python.check(&server, &script, &[]);
    let family = server.family();
    assert!(server.stop().success(), "it stops when asked");
    nothing_is_left(&family);
}
