//! CPU by memory: when environments are held to it.

use std::time::Duration;

use pitbird_invoke::{CpuShare, EventPolicy, Limits, Outcome};
use pitbird_names::{Qualifier, Scope, VersionId};
use pitbird_records::ProvisionedConcurrency;

use crate::bench::{Bench, Draft, bench_with, has, json, python};

/// Says how many CPUs it got while it started, and how many while it handles the event.
const SPINNER: &str = r#"
import os, time
def spin(seconds):
    wall, cpu = time.monotonic(), time.process_time()
    while time.monotonic() < wall + seconds:
        pass
    return (time.process_time() - cpu) / (time.monotonic() - wall)
started = spin(0.6)
def handler(event, context):
    if event == "crash":
        os._exit(1)
    return [started, spin(0.6)]
"#;

/// 0.07 CPUs' worth.
const MEMORY_MIB: u32 = 128;

/// CPUs; more than what is held to its share gets, and less than others do.
const BETWEEN: f64 = 0.15;

/// On a busy host nobody gets much; of these functions' starts one will.
const NAMES: [&str; 4] = ["f", "g", "h", "i"];

fn spinner(name: &'static str) -> Draft {
    Draft { memory_mib: MEMORY_MIB, ..python(name, SPINNER) }
}

async fn bench(limits: Limits) -> Option<Bench> {
    let limits = Limits { cpu_share: CpuShare::ByMemory, ..limits };
    let bench = bench_with(limits, EventPolicy::default()).await;
    if !bench.launcher.report().has_cpu_shares {
        eprintln!("SKIPPED: no CPU shares: {}", bench.launcher.report());
        return None;
    }
    has(&bench, "python3.11").await.then_some(bench)
}

/// The CPUs that it got while it started, and then.
fn shares(outcome: &Outcome) -> (f64, f64) {
    let said = json(outcome);
    (said[0].as_f64().unwrap(), said[1].as_f64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_has_all_there_is_and_what_follows_its_share() {
    for parked in [0, 1] {
        let Some(bench) = bench(Limits { parked, ..Limits::default() }).await else { return };
        // Its start has one like it parked.
        let first = python("first", "def handler(event, context):\n    return 1\n");
        let first = bench.create(first).await;
        bench.invoke(&first, "").await;
        let mut waiting = bench.invoker.parked();
        let wait = waiting.wait_for(|count| *count == parked as usize);
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it waits within 20 s").unwrap();
        let mut most = 0.0_f64;
        for name in NAMES {
            let function = bench.create(spinner(name)).await;
            let (started, held) = shares(&bench.invoke(&function, "{}").await);
            let (_, later) = shares(&bench.invoke(&function, "{}").await);
            assert!(held.max(later) < BETWEEN, "{parked} parked: {held}, then {later}");
            most = most.max(started);
            if most > BETWEEN {
                break;
            }
        }
        assert!(most > BETWEEN, "{parked} parked: {most}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_ready_starts_with_all_and_is_held_too() {
    let Some(bench) = bench(Limits { parked: 0, ..Limits::default() }).await else { return };
    let mut most = 0.0_f64;
    for name in NAMES {
        most = most.max(provisioned(&bench, name).await);
        if most > BETWEEN {
            return;
        }
    }
    panic!("{most} while they started");
}

/// What a function that is kept ready got while it started; what it gets then is its share.
async fn provisioned(bench: &Bench, name: &'static str) -> f64 {
    bench.create(spinner(name)).await;
    let number = VersionId::Number(1);
    bench.create(Draft { version: number, ..spinner(name) }).await;
    let requested = ProvisionedConcurrency {
        scope: Scope::default(),
        function: name.to_owned(),
        qualifier: "1".to_owned(),
        requested: 1,
        modified_ms: 0,
    };
    bench.put(requested).await;
    let qualifier = Qualifier::Version(number);
    let ready = async {
        while bench.invoker.provisioned(&bench.function(name), &qualifier).ready < 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ready).await.expect("it starts");
    let outcome = bench.try_invoke(&bench.function(name), Some(&qualifier), 0.0, "{}").await.unwrap();
    let (started, held) = shares(&outcome);
    assert!(held < BETWEEN, "{held}");
    started
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_within_an_invocation_has_its_share_only() {
    let limits = Limits { init: Duration::from_millis(300), parked: 0, ..Limits::default() };
    let Some(bench) = bench(limits).await else { return };
    let function = bench.create(spinner("f")).await;
    let outcome = bench.invoke(&function, "{}").await;
    assert_eq!(outcome.init_ms, None, "the first start took too long");
    let (started, held) = shares(&outcome);
    assert!(started < BETWEEN && held < BETWEEN, "{started}, then {held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_after_a_crash_has_its_share_only() {
    let Some(bench) = bench(Limits { parked: 0, ..Limits::default() }).await else { return };
    let function = bench.create(spinner("f")).await;
    let crashed = bench.invoke(&function, "\"crash\"").await;
    assert!(crashed.function_error.is_some());
    let (started, held) = shares(&bench.invoke(&function, "{}").await);
    assert!(started < BETWEEN && held < BETWEEN, "{started}, then {held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unless_asked_for_all_have_all() {
    let bench = bench_with(Limits::default(), EventPolicy::default()).await;
    if has(&bench, "python3.11").await {
        let function = bench.create(spinner("f")).await;
        // On a busy host this is not at once.
        let began = std::time::Instant::now();
        let mut most = 0.0_f64;
        while most <= BETWEEN {
            assert!(began.elapsed() < Duration::from_secs(60), "{most}");
            most = most.max(shares(&bench.invoke(&function, "{}").await).1);
        }
    }
}
