//! Environments that are kept ready.

use std::time::Duration;

use pitbird_invoke::{EventPolicy, Limits, Provisioned};
use pitbird_names::{Qualifier, Scope, VersionId};
use pitbird_records::ProvisionedConcurrency;
use pitbird_telemetry::metrics::Stat;

use crate::bench::{Bench, Draft, bash, bash_loop, bench, bench_with, json, text};
use crate::metrics::measured;

const SAYS: &str = r#"respond "{\"how\": \"$AWS_LAMBDA_INITIALIZATION_TYPE\"}""#;

pub fn version(number: u64) -> Qualifier {
    Qualifier::Version(VersionId::Number(number))
}

fn live() -> Qualifier {
    Qualifier::Alias("live".to_owned())
}

pub async fn provision(bench: &Bench, qualifier: &Qualifier, requested: u32) {
    bench
        .put(ProvisionedConcurrency {
            scope: Scope::default(),
            function: "f".to_owned(),
            qualifier: qualifier.to_string(),
            requested,
            modified_ms: 0,
        })
        .await;
}

async fn release(bench: &Bench, qualifier: &Qualifier) {
    let key = pitbird_records::key(&Scope::default(), &["f", &qualifier.to_string()]);
    let delete = move |transaction: &mut pitbird_store::Transaction<'_>| {
        transaction.delete::<ProvisionedConcurrency>(&key)
    };
    bench.store.write::<_, pitbird_store::Error>(delete).await.unwrap();
}

pub async fn until(bench: &Bench, qualifier: &Qualifier, is_so: impl Fn(Provisioned) -> bool) {
    let wait = async {
        while !is_so(bench.invoker.provisioned(&bench.function("f"), qualifier)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("so it is within 20 s");
}

pub async fn publish(bench: &Bench, body: &str, numbers: &[u64]) {
    bench.create(bash_loop("f", body)).await;
    for number in numbers {
        let mut draft = Draft { version: VersionId::Number(*number), ..bash_loop("f", body) };
        draft.files.push(("readme", number.to_string(), 0o644));
        bench.create(draft).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_there_before_the_first_call_and_stay_when_nobody_calls() {
    let limits = Limits { idle: Duration::from_millis(50), ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    publish(&bench, SAYS, &[1]).await;
    provision(&bench, &version(1), 2).await;
    until(&bench, &version(1), |now| now == Provisioned { allocated: 2, ready: 2, has_failed: false }).await;
    // One that isn't kept comes and goes; by then those that are kept have been idle as long.
    let function = bench.function("f");
    assert_eq!(json(&bench.invoke(&function, "{}").await)["how"], "on-demand", "$LATEST has none");
    bench.until_environments(|count| count == 3).await;
    bench.until_environments(|count| count == 2).await;
    let first = version(1);
    let outcome = bench.try_invoke(&function, Some(&first), 0.0, "{}").await.unwrap();
    assert_eq!(json(&outcome)["how"], "provisioned-concurrency");
    assert!(
        outcome.init_ms.is_some() && outcome.billed_ms as f64 <= outcome.duration_ms + 1.0,
        "{outcome:?}"
    );

    provision(&bench, &version(1), 1).await;
    bench.until_environments(|count| count == 1).await;
    release(&bench, &version(1)).await;
    bench.until_environments(|count| count == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_a_report_of_their_start() {
    let bench = bench().await;
    let mut loud = bash_loop("f", SAYS);
    loud.files[0].1 = loud.files[0].1.replacen('\n', "\necho starting\n", 1);
    bench.create(loud.clone()).await;
    bench.create(Draft { version: VersionId::Number(1), ..loud }).await;
    provision(&bench, &version(1), 1).await;
    until(&bench, &version(1), |now| now.ready == 1).await;
    let function = bench.function("f");
    bench.try_invoke(&function, Some(&version(1)), 0.0, "{}").await.unwrap();
    bench.invoke(&function, "{}").await;
    for (stream, log) in bench.logs("/aws/lambda/f").await {
        let kinds: Vec<&str> = log.iter().map(|line| line.split([' ', '\n']).next().unwrap()).collect();
        let is_kept = stream.contains("[1]");
        let expected = match is_kept {
            true => &["INIT_START", "starting", "INIT_REPORT", "START", "END", "REPORT"][..],
            false => &["INIT_START", "starting", "START", "END", "REPORT"],
        };
        assert_eq!(kinds, expected, "{stream}: {log:?}");
        let report = log.iter().find(|line| line.starts_with("INIT_REPORT Init Duration: "));
        assert_eq!(report.is_some_and(|line| line.ends_with(" ms\n")), is_kept, "{log:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_they_cannot_take_spills_over() {
    let bench = bench().await;
    let body = r#"respond "\"$AWS_LAMBDA_INITIALIZATION_TYPE\"""#;
    let wait = "[[ $event == wait ]] && { echo waits: $AWS_LAMBDA_INITIALIZATION_TYPE; sleep 30; }";
    publish(&bench, &format!("{wait}; {body}"), &[1]).await;
    provision(&bench, &version(1), 1).await;
    until(&bench, &version(1), |now| now.ready == 1).await;
    let (function, first) = (bench.function("f"), version(1));
    // Whoever has answered isn't free before it asks for more, so one after the other may spill over as well.
    let (mut kept, mut spilled) = (0.0, 0.0);
    while kept < 3.0 {
        match text(&bench.try_invoke(&function, Some(&first), 0.0, "now").await.unwrap()) {
            "\"provisioned-concurrency\"" => kept += 1.0,
            "\"on-demand\"" if spilled < 100.0 => spilled += 1.0,
            other => panic!("{other} after {kept} and {spilled}"),
        }
    }
    for waiting in 1.. {
        let mut how = Vec::new();
        let said = bench.until_log("f", |log| {
            how = log
                .iter()
                .filter_map(|line| line.trim_end().strip_prefix("waits: ").map(str::to_owned))
                .collect();
            how.len() == waiting
        });
        tokio::select! {
            _ = bench.try_invoke(&function, Some(&first), 0.0, "wait") => panic!("it waits for half a minute"),
            _ = said => {}
        }
        match how[waiting - 1].as_str() {
            "provisioned-concurrency" => break,
            "on-demand" if spilled < 100.0 => spilled += 1.0,
            other => panic!("{other} after {how:?}"),
        }
    }
    let beside = bench.try_invoke(&function, Some(&first), 0.0, "now").await.unwrap();
    assert_eq!(text(&beside), "\"on-demand\"");
    let dimensions = [("FunctionName", "f"), ("Resource", "f:1")];
    let sum = async |name| measured(&bench, name, &dimensions, Stat::Sum).await;
    assert_eq!(sum("ProvisionedConcurrencyInvocations").await, Some(kept));
    assert_eq!(sum("ProvisionedConcurrencySpilloverInvocations").await, Some(spilled + 1.0));
    let most = measured(&bench, "ProvisionedConcurrentExecutions", &dimensions, Stat::Maximum).await;
    assert_eq!(most, Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aliass_are_divided_by_weight() {
    let bench = bench().await;
    publish(&bench, SAYS, &[1, 2]).await;
    bench.alias("f", "live", 0.25).await;
    provision(&bench, &live(), 4).await;
    until(&bench, &live(), |now| now.ready == 4).await;
    let function = bench.function("f");
    assert_eq!(
        function.provisioned_versions_of(&live()),
        [(VersionId::Number(1), 3), (VersionId::Number(2), 1)]
    );
    for draw in [0.1, 0.9] {
        let outcome = bench.try_invoke(&function, Some(&live()), draw, "{}").await.unwrap();
        assert_eq!(json(&outcome)["how"], "provisioned-concurrency");
        bench.until_idle().await;
    }
    // Both versions' are the alias's, and counted as such.
    let dimensions = [("FunctionName", "f"), ("Resource", "f:live")];
    let most = async |name| measured(&bench, name, &dimensions, Stat::Maximum).await;
    assert_eq!(most("ProvisionedConcurrentExecutions").await, Some(1.0));
    assert_eq!(most("ProvisionedConcurrencyUtilization").await, Some(0.25));
    let invocations = measured(&bench, "ProvisionedConcurrencyInvocations", &dimensions, Stat::Sum).await;
    assert_eq!(invocations, Some(2.0));
    for version in ["f:1", "f:2"] {
        let dimensions = [("FunctionName", "f"), ("Resource", version)];
        let none = measured(&bench, "ProvisionedConcurrentExecutions", &dimensions, Stat::Maximum).await;
        assert_eq!(none, None, "{version}");
    }
    // As weight moves they move along.
    bench.alias("f", "live", 0.5).await;
    let function = bench.function("f");
    assert_eq!(
        function.provisioned_versions_of(&live()),
        [(VersionId::Number(1), 2), (VersionId::Number(2), 2)]
    );
    until(&bench, &live(), |now| now.ready == 4).await;
    bench.until_environments(|count| count == 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_is_replaced() {
    let bench = bench().await;
    publish(&bench, "[[ $event == die ]] && exit 1; respond 1", &[1]).await;
    provision(&bench, &version(1), 1).await;
    until(&bench, &version(1), |now| now.ready == 1).await;
    let (function, first) = (bench.function("f"), version(1));
    let died = bench.try_invoke(&function, Some(&first), 0.0, "die").await.unwrap();
    assert!(died.function_error.is_some(), "{died:?}");
    until(&bench, &version(1), |now| now == Provisioned { allocated: 1, ready: 1, has_failed: false }).await;
    assert_eq!(text(&bench.try_invoke(&function, Some(&first), 0.0, "").await.unwrap()), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_cannot_start_are_said_to_have_failed() {
    let bench = bench().await;
    let mut broken = bash_loop("f", "respond 1");
    broken.files = vec![("bootstrap", "#!/bin/sh\nexit 7\n".to_owned(), 0o755)];
    bench.create(broken.clone()).await;
    bench.create(Draft { version: VersionId::Number(1), ..broken }).await;
    provision(&bench, &version(1), 2).await;
    until(&bench, &version(1), |now| now == Provisioned { allocated: 0, ready: 0, has_failed: true }).await;
    bench.until_log("f", |log| log.iter().any(|line| line.contains("Error Type: Runtime.ExitError"))).await;
}

/// One has its place long before it is ready.
#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_being_started_are_allocated_and_not_ready() {
    let bench = bench().await;
    let mut draft = bash("f", "read -r < <(sleep 60)");
    draft.version = VersionId::Number(1);
    bench.create(Draft { version: VersionId::Latest, ..draft.clone() }).await;
    bench.create(draft).await;
    let none = bench.invoker.provisioned(&bench.function("f"), &version(1));
    assert_eq!(none, Provisioned::default());
    provision(&bench, &version(1), 2).await;
    until(&bench, &version(1), |now| now == Provisioned { allocated: 2, ready: 0, has_failed: false }).await;
}
