//! Asynchronous invocations.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use pitbird_invoke::{Event, EventPolicy, Limits, Unqueued};
use pitbird_names::{Qualifier, Scope, limits};
use pitbird_records::{AsyncEvent, EventInvokeConfig};

use crate::bench::{Bench, Draft, bash_loop, bench, bench_with, invocation, open};

/// Lambda's rules in a fraction of the time.
fn hasty() -> EventPolicy {
    EventPolicy {
        retry_after: vec![Duration::from_millis(60), Duration::from_millis(120)],
        backoff_min: Duration::from_millis(10),
        backoff_max: Duration::from_millis(100),
        ..EventPolicy::default()
    }
}

fn event(function: &str, payload: &str) -> Event {
    let (scope, qualifier) = (Scope::default(), None);
    Event { scope, function: function.to_owned(), qualifier, invocation: invocation(payload) }
}

/// Waits until no event is open.
async fn until_done(bench: &Bench) {
    let mut open = bench.invoker.open_events();
    let wait = open.wait_for(|open| *open == 0);
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("all done within 30 s").unwrap();
    assert_eq!(bench.store.list::<AsyncEvent>("").unwrap(), [], "nothing is left in the store");
}

async fn starts(bench: &Bench, function: &str) -> Vec<String> {
    let logs = bench.logs(&format!("/aws/lambda/{function}")).await;
    let lines = logs.into_iter().flat_map(|(_, log)| log);
    let ids =
        lines.filter_map(|line| Some(line.strip_prefix("START RequestId: ")?.split(' ').next()?.to_owned()));
    ids.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_runs_once_when_all_is_well() {
    let bench = bench().await;
    bench.create(bash_loop("f", "echo \"event $event\"; respond 1")).await;
    let event = event("f", r#"{"a":1}"#);
    let id = event.invocation.request_id.clone();
    bench.invoker.enqueue(event).await.unwrap();
    until_done(&bench).await;
    assert_eq!(starts(&bench, "f").await, [id]);
    assert!(bench.log("f").await.contains(&"event {\"a\":1}\n".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_error_is_tried_twice_more_with_the_same_id() {
    let bench = bench_with(Limits::default(), hasty()).await;
    let body = "call POST /runtime/invocation/$id/error '{\"errorMessage\":\"no\"}'";
    bench.create(bash_loop("f", body)).await;
    let event = event("f", "{}");
    let id = event.invocation.request_id.clone();
    bench.invoker.enqueue(event).await.unwrap();
    until_done(&bench).await;
    assert_eq!(starts(&bench, "f").await, [id.clone(), id.clone(), id]);
}

/// Puts rules for the unqualified function.
async fn rule(bench: &Bench, function: &str, change: impl FnOnce(&mut EventInvokeConfig)) {
    let mut config = EventInvokeConfig {
        scope: Scope::default(),
        function: function.to_owned(),
        qualifier: "$LATEST".to_owned(),
        retries_max: None,
        age_max_s: None,
        on_success: None,
        on_failure: None,
        modified_ms: 0,
    };
    change(&mut config);
    let put: Result<(), pitbird_store::Error> =
        bench.store.write(move |transaction| transaction.put(&config).map(drop)).await;
    put.unwrap();
}

fn arn(function: &str) -> Option<String> {
    Some(format!("arn:aws:lambda:us-east-1:000000000000:function:{function}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_functions_own_rules_are_obeyed_and_its_destination_is_told() {
    let bench = bench_with(Limits::default(), hasty()).await;
    let fails = "call POST /runtime/invocation/$id/error '{\"errorMessage\":\"no\"}'";
    bench.create(bash_loop("fails", fails)).await;
    bench.create(bash_loop("works", "respond '{\"good\":1}'")).await;
    bench.create(bash_loop("told", "echo \"told $event\"; respond 1")).await;
    rule(&bench, "fails", |config| (config.retries_max, config.on_failure) = (Some(1), arn("told"))).await;
    rule(&bench, "works", |config| config.on_success = arn("told")).await;
    let (bad, good) = (event("fails", "{\"a\":1}"), event("works", "2"));
    let ids = [bad.invocation.request_id.clone(), good.invocation.request_id.clone()];
    bench.invoker.enqueue(bad).await.unwrap();
    bench.invoker.enqueue(good).await.unwrap();
    until_done(&bench).await;
    assert_eq!(starts(&bench, "fails").await.len(), 2, "one retry, as its rules say");
    // Both may be told at the same time, by environments of their own.
    let logs = bench.logs("/aws/lambda/told").await;
    let lines = logs.iter().flat_map(|(_, log)| log);
    let records: Vec<serde_json::Value> = lines
        .filter_map(|line| Some(serde_json::from_str(line.strip_prefix("told ")?).expect("a record is JSON")))
        .collect();
    assert_eq!(records.len(), 2, "{logs:?}");
    for (id, condition, count, payload) in [
        (&ids[0], "RetriesExhausted", 2, "{\"errorMessage\":\"no\"}"),
        (&ids[1], "Success", 1, "{\"good\":1}"),
    ] {
        let record =
            records.iter().find(|record| record["requestContext"]["requestId"] == **id).expect("told of");
        assert_eq!(record["requestContext"]["condition"], condition);
        assert_eq!(record["requestContext"]["approximateInvokeCount"], count);
        assert_eq!(record["responsePayload"].to_string(), payload);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_gone_harms_nobody() {
    let bench = bench_with(Limits::default(), hasty()).await;
    bench.create(bash_loop("f", "respond 1")).await;
    rule(&bench, "f", |config| config.on_success = arn("gone")).await;
    bench.invoker.enqueue(event("f", "{}")).await.unwrap();
    until_done(&bench).await;
    assert_eq!(starts(&bench, "f").await.len(), 1);
}

/// Each other's destinations: they tell each other sixteen times, and then it is enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_circle_of_destinations_ends() {
    let bench = bench_with(Limits::default(), hasty()).await;
    for (one, other) in [("f", "g"), ("g", "f")] {
        bench.create(bash_loop(one, "respond 1")).await;
        rule(&bench, one, |config| config.on_success = arn(other)).await;
    }
    bench.invoker.enqueue(event("f", "{}")).await.unwrap();
    until_done(&bench).await;
    assert_eq!(starts(&bench, "f").await.len() + starts(&bench, "g").await.len(), 17);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_goes_on_where_it_is_allowed() {
    let bench = bench_with(Limits::default(), hasty()).await;
    for (one, other) in [("f", "g"), ("g", "f")] {
        bench.create(Draft { allows_loops: true, ..bash_loop(one, "respond 1") }).await;
        rule(&bench, one, |config| config.on_success = arn(other)).await;
    }
    bench.invoker.enqueue(event("f", "{}")).await.unwrap();
    let count = |log: &[String]| log.iter().filter(|line| line.starts_with("START ")).count();
    bench.until_log("g", |log| count(log) > 12).await;
    // Nobody tells anybody any more.
    rule(&bench, "g", |_| {}).await;
    until_done(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_event_waits_for_its_place() {
    let bench = bench_with(Limits::default(), hasty()).await;
    let draft = Draft { reserved: Some(1), ..bash_loop("f", "sleep 0.1; respond 1") };
    bench.create(draft).await;
    for _ in 0..4 {
        bench.invoker.enqueue(event("f", "{}")).await.unwrap();
    }
    until_done(&bench).await;
    assert_eq!(starts(&bench, "f").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_run_is_dropped() {
    let bench = bench_with(Limits::default(), hasty()).await;
    bench.create(Draft { reserved: Some(0), ..bash_loop("none", "respond 1") }).await;
    bench.create(bash_loop("f", "respond 1")).await;
    bench.invoker.enqueue(event("none", "{}")).await.unwrap();
    bench.invoker.enqueue(event("gone", "{}")).await.unwrap();
    let mut nobody = event("f", "{}");
    nobody.qualifier = Qualifier::parse("nobody");
    bench.invoker.enqueue(nobody).await.unwrap();
    until_done(&bench).await;
    assert!(starts(&bench, "f").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_gets_too_old_is_dropped() {
    let policy = EventPolicy { age_max: Duration::from_millis(300), ..hasty() };
    let bench = bench_with(Limits { concurrent_executions: 0, ..Limits::default() }, policy).await;
    bench.create(bash_loop("f", "respond 1")).await;
    bench.invoker.enqueue(event("f", "{}")).await.unwrap();
    until_done(&bench).await;
    assert!(starts(&bench, "f").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_queue_cannot_hold_is_refused() {
    let policy = EventPolicy { queued_max: 1, ..hasty() };
    let bench = bench_with(Limits { environments_max: 0, ..Limits::default() }, policy).await;
    bench.create(bash_loop("f", "respond 1")).await;
    let long = "x".repeat(limits::EVENT_PAYLOAD_BYTES + 1);
    assert!(matches!(bench.invoker.enqueue(event("f", &long)).await, Err(Unqueued::PayloadTooLarge)));
    let mut binary = event("f", "");
    binary.invocation.payload = Bytes::from_static(b"\xff");
    assert!(matches!(bench.invoker.enqueue(binary).await, Err(Unqueued::NotText)));
    bench.invoker.enqueue(event("f", "{}")).await.unwrap();
    assert!(matches!(bench.invoker.enqueue(event("f", "{}")).await, Err(Unqueued::Full)));
    bench.invoker.shutdown().await;
    assert!(matches!(bench.invoker.enqueue(event("f", "{}")).await, Err(Unqueued::ShuttingDown)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_loses_nothing() {
    let limits = Limits { shutdown: Duration::from_millis(100), ..Limits::default() };
    let first = bench_with(limits, hasty()).await;
    first.create(Draft { timeout_s: 60, ..bash_loop("f", "sleep $event; respond 1") }).await;
    first.invoker.enqueue(event("f", "100")).await.unwrap();
    first.until_log("f", |log| log.iter().any(|line| line.starts_with("START "))).await;
    first.invoker.shutdown().await;
    let open_events = first.store.list::<AsyncEvent>("").unwrap();
    assert_eq!(open_events.len(), 1, "it was killed by our own end, which is no attempt");
    assert_eq!((open_events[0].record.errors, open_events[0].record.refusals), (0, 0));
    let Bench { data, invoker, store, telemetry, launcher } = first;
    drop((invoker, store, telemetry, launcher));

    let second = open(data.unwrap(), Limits::default(), hasty()).await;
    assert_eq!(*second.invoker.open_events().borrow(), 1);
    second.until_environments(|count| count == 1).await;
}

/// Where the child process keeps its data.
const CHILD_DATA: &str = "PITBIRD_TEST_CHILD_DATA";

/// Not a test of its own: the process that is killed. Acknowledges events that it can't run, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(path) = std::env::var_os(CHILD_DATA) else { return };
    let limits = Limits { environments_max: 0, ..Limits::default() };
    let bench = crate::bench::open_path(path.as_ref(), limits, hasty()).await;
    bench.create(bash_loop("f", "respond 1")).await;
    loop {
        let event = event("f", "{}");
        let id = event.invocation.request_id.clone();
        bench.invoker.enqueue(event).await.unwrap();
        println!("acknowledged {id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_nothing_that_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "events::child", "--nocapture"])
            .env(CHILD_DATA, data.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
        let ids = lines.filter_map(|line| Some(line.split_once("acknowledged ")?.1.to_owned()));
        acknowledged.extend(ids.take(20));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let bench = open(data, Limits::default(), hasty()).await;
    until_done(&bench).await;
    let ran = starts(&bench, "f").await;
    assert_eq!(acknowledged.len(), 60);
    for id in &acknowledged {
        assert!(ran.contains(id), "{id} was acknowledged and never ran");
    }
}
