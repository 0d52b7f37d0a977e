//! Environments stand still between invocations.

use std::time::Duration;

use pitbird_invoke::{EventPolicy, Limits};

use crate::bench::{bench_with, has, json, python};

/// Ticks on a thread of its own, also while nothing is asked of it.
const TICKER: &str = r#"
import threading, time
ticks = [time.monotonic()]
def tick():
    while True:
        time.sleep(0.002)
        ticks.append(time.monotonic())
threading.Thread(target=tick, daemon=True).start()
def handler(event, context):
    seen = len(ticks)
    while len(ticks) < seen + 3:
        time.sleep(0.002)
    return {"count": len(ticks), "gap": max(b - a for a, b in zip(ticks, ticks[1:]))}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_in_the_background_stands_still_between_invocations() {
    let limits = Limits { freeze_after: Duration::from_millis(20), ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    if !has(&bench, "python3.11").await {
        return;
    }
    if bench.launcher.report().missing.iter().any(|missing| missing.what.starts_with("freezing")) {
        return eprintln!("SKIPPED: {}", bench.launcher.report());
    }
    let ticker = bench.create(python("ticker", TICKER)).await;
    // What takes a second, so that somebody waits for something that happens.
    let slow = "import time\ndef handler(event, context):\n    time.sleep(1)\n";
    let slow = bench.create(python("slow", slow)).await;
    let first = json(&bench.invoke(&ticker, "{}").await);
    bench.invoke(&slow, "{}").await;
    let second = json(&bench.invoke(&ticker, "{}").await);
    let (first, second) = (first["count"].as_u64().unwrap(), second);
    let gap = second["gap"].as_f64().unwrap();
    assert!(gap > 0.8, "it stood still while the other ran: {second}");
    assert!(second["count"].as_u64().unwrap() > first, "and it is the same process: {second}");
    assert_eq!(*bench.invoker.environments().borrow(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_environment_ends_like_any_other() {
    let limits = Limits {
        freeze_after: Duration::from_millis(1),
        idle: Duration::from_millis(200),
        ..Limits::default()
    };
    let bench = bench_with(limits, EventPolicy::default()).await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let function = bench.create(python("f", "def handler(event, context):\n    return 1\n")).await;
    bench.invoke(&function, "{}").await;
    bench.until_environments(|count| count == 0).await;
    bench.invoke(&function, "{}").await;
    bench.invoker.shutdown().await;
    assert_eq!(*bench.invoker.environments().borrow(), 0);
}
