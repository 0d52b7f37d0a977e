//! What functions are billed for is counted, and it is what their logs say.

use std::collections::BTreeMap;

use pitbird_names::{Month, Scope};
use pitbird_prices::Quantity;

use crate::bench::{Bench, Draft, bash_loop, bench, narrow_bench, now_ms};
use crate::extensions::{BOTH, extension};
use crate::provisioned::{provision, publish, until, version};

/// Memory of a draft, MiB.
const MEMORY: u64 = 256;

/// Billed milliseconds that the logs tell, and how often.
async fn billed(bench: &Bench) -> (u64, u64) {
    let logs = bench.logs("/aws/lambda/f").await;
    let reports: Vec<u64> = logs
        .iter()
        .flat_map(|(_, log)| log)
        .filter(|line| line.starts_with("REPORT"))
        .map(|line| {
            let (_, after) = line.split_once("Billed Duration: ").unwrap();
            after.split(' ').next().unwrap().parse().unwrap()
        })
        .collect();
    (reports.len() as u64, reports.iter().sum())
}

/// What the ledger has of a version.
async fn used(bench: &Bench, version: &str) -> BTreeMap<Quantity, u64> {
    let used = bench.telemetry.usage(&Scope::default(), Month::of(now_ms())).await.unwrap();
    let of_version = used.into_iter().filter(|used| used.subject.names.get("Version") == Some(version));
    of_version.map(|used| (Quantity::parse(&used.quantity).unwrap(), used.amount)).collect()
}

fn expected((requests, billed_ms): (u64, u64), is_provisioned: bool) -> BTreeMap<Quantity, u64> {
    let duration = Quantity::host_duration(is_provisioned);
    [(Quantity::FunctionRequests, requests), (duration, billed_ms * MEMORY)].into()
}

async fn until_reports(bench: &Bench, count: usize) {
    bench.until_log("f", |log| log.iter().filter(|line| line.starts_with("REPORT")).count() == count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_failures_and_timeouts_cost_what_their_reports_say() {
    let bench = bench().await;
    let body = r#"
        [[ $event == slow ]] && sleep 30
        if [[ $event == bad ]]; then call POST "/runtime/invocation/$id/error" '{"errorType":"Bad"}'; else respond 1; fi
    "#;
    let function = bench.create(Draft { timeout_s: 1, ..bash_loop("f", body) }).await;
    let mut billed_ms = 0;
    for event in ["good", "good", "bad", "slow", "good"] {
        let outcome = bench.invoke(&function, event).await;
        assert_eq!(outcome.billed.mib_ms, outcome.billed_ms * MEMORY);
        billed_ms += outcome.billed_ms;
    }
    until_reports(&bench, 5).await;
    assert_eq!(billed(&bench).await, (5, billed_ms));
    assert!(billed_ms >= 1000, "one ran for a second");
    assert_eq!(used(&bench, "$LATEST").await, expected((5, billed_ms), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_extensions_do_after_the_answer_is_paid_for() {
    let bench = narrow_bench().await;
    let slow = format!("register '{BOTH}'; while event; do [[ $body == *INVOKE* ]] && sleep 1; done");
    let layers = vec![vec![extension("extensions/slow", &slow)]];
    let function = bench.create(Draft { layers, ..bash_loop("f", "respond 1") }).await;
    let answered_ms =
        bench.invoke(&function, "1").await.billed_ms + bench.invoke(&function, "2").await.billed_ms;
    bench.invoker.shutdown().await;
    let (requests, billed_ms) = billed(&bench).await;
    assert!(
        requests == 2 && billed_ms >= answered_ms + 500,
        "{billed_ms} with {answered_ms} until the answers"
    );
    assert_eq!(used(&bench, "$LATEST").await, expected((2, billed_ms), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_ready_has_a_price_of_its_own() {
    let bench = bench().await;
    publish(&bench, "respond 1", &[1]).await;
    provision(&bench, &version(1), 1).await;
    until(&bench, &version(1), |now| now.ready == 1).await;
    for _ in 0..3 {
        let outcome = bench.try_invoke(&bench.function("f"), Some(&version(1)), 0.0, "{}").await.unwrap();
        assert!(outcome.billed.is_provisioned, "{outcome:?}");
    }
    until_reports(&bench, 3).await;
    assert_eq!(used(&bench, "1").await, expected(billed(&bench).await, true));
    assert_eq!(used(&bench, "$LATEST").await, BTreeMap::new());
}
