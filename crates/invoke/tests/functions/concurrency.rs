//! Many invocations at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pitbird_invoke::{Alive, EventPolicy, Invocation, Limits, Refused, Throttle};
use pitbird_names::{Qualifier, Scope, VersionId};

use crate::bench::{Draft, bash_loop, bench, bench_with, invocation, now_ms, text};

/// Takes as many tenths of a second as the event says.
const SLOW: &str = "sleep 0.$event; respond \"$event\"";

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_at_once_runs_at_once() {
    let bench = Arc::new(bench().await);
    let function = bench.create(bash_loop("f", SLOW)).await;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (bench, function) = (bench.clone(), function.clone());
            tokio::spawn(async move { bench.invoke(&function, "5").await })
        })
        .collect();
    for call in calls {
        assert_eq!(text(&call.await.unwrap()), "5");
    }
    assert_eq!(*bench.invoker.environments().borrow(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_concurrency_throttles() {
    let bench = Arc::new(bench().await);
    let function = bench.create(Draft { reserved: Some(1), ..bash_loop("f", SLOW) }).await;
    let first = tokio::spawn({
        let (bench, function) = (bench.clone(), function.clone());
        async move { bench.invoke(&function, "5").await }
    });
    bench.until_environments(|count| count > 0).await;
    let refused = bench.try_invoke(&function, None, 0.0, "5").await.unwrap_err();
    let Refused::Throttled(throttle) = refused else { panic!("{refused}") };
    assert_eq!(throttle.as_str(), "ReservedFunctionConcurrentInvocationLimitExceeded");
    first.await.unwrap();
    bench.invoke(&function, "0").await;

    let function = bench.create(Draft { reserved: Some(0), ..bash_loop("none", SLOW) }).await;
    let refused = bench.try_invoke(&function, None, 0.0, "0").await.unwrap_err();
    assert!(matches!(refused, Refused::Throttled(_)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_its_limit() {
    let limits = Limits { concurrent_executions: 1, ..Limits::default() };
    let bench = Arc::new(bench_with(limits, EventPolicy::default()).await);
    let function = bench.create(bash_loop("f", SLOW)).await;
    let other = bench.create(bash_loop("g", SLOW)).await;
    let (first, second) =
        tokio::join!(bench.try_invoke(&function, None, 0.0, "5"), bench.try_invoke(&other, None, 0.0, "5"));
    assert!(first.is_ok());
    let refused = second.unwrap_err();
    assert!(matches!(refused, Refused::Throttled(Throttle::ConcurrentInvocationLimitExceeded)), "{refused}");
    bench.invoke(&other, "0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_environment_in_time_is_throttled() {
    let limits = Limits { environments_max: 1, wait: Duration::from_millis(200), ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    let function = bench.create(bash_loop("f", "sleep $event; respond \"$event\"")).await;
    // Its start may take longer than others are to wait.
    while bench.try_invoke(&function, None, 0.0, "0").await.is_err() {}
    let (first, second) = tokio::join!(
        bench.try_invoke(&function, None, 0.0, "2"),
        bench.try_invoke(&function, None, 0.0, "2")
    );
    assert!(first.is_ok());
    let refused = second.unwrap_err();
    assert!(matches!(refused, Refused::Throttled(Throttle::ConcurrentInvocationLimitExceeded)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_environments_make_room_for_others() {
    let limits = Limits { environments_max: 1, ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    let first = bench.create(bash_loop("f", "respond 1")).await;
    let second = bench.create(bash_loop("g", "respond 2")).await;
    for _ in 0..2 {
        assert_eq!(text(&bench.invoke(&first, "{}").await), "1");
        assert_eq!(text(&bench.invoke(&second, "{}").await), "2");
    }
    assert_eq!(*bench.invoker.environments().borrow(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_environments_end() {
    let limits = Limits { idle: Duration::from_millis(50), ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    let function = bench.create(bash_loop("f", "respond 1")).await;
    bench.invoke(&function, "{}").await;
    bench.until_environments(|count| count == 0).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_served_by_few() {
    // Environments come and go all the time: they are few, and idle for a moment only.
    let (idle, wait) = (Duration::from_millis(3), Duration::from_secs(150));
    let limits = Limits { environments_max: 3, idle, wait, ..Limits::default() };
    let bench = Arc::new(bench_with(limits, EventPolicy::default()).await);
    let mut calls = tokio::task::JoinSet::new();
    for name in ["a", "b", "c", "d"] {
        let function = bench.create(bash_loop(name, "respond \"$event\"")).await;
        for caller in 0..8 {
            let (bench, function) = (bench.clone(), function.clone());
            calls.spawn(async move {
                for step in 0..10 {
                    let event = (caller * 100 + step).to_string();
                    assert_eq!(text(&bench.invoke(&function, &event).await), event);
                }
            });
        }
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    bench.until_environments(|count| count == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_draws_its_version_for_each_invocation() {
    let bench = bench().await;
    let answer = "respond \"\\\"$AWS_LAMBDA_FUNCTION_VERSION\\\"\"";
    for number in [1, 2] {
        let mut draft = bash_loop("f", answer);
        draft.version = VersionId::Number(number);
        draft.files.push(("readme", number.to_string(), 0o644));
        bench.create(draft).await;
    }
    let function = bench.alias("f", "live", 0.25).await;
    let live = Qualifier::Alias("live".to_owned());
    let mut second = 0;
    for step in 0..40 {
        let draw = f64::from(step) / 40.0;
        let outcome = bench.try_invoke(&function, Some(&live), draw, "{}").await.unwrap();
        let VersionId::Number(number) = outcome.executed_version else { panic!("{outcome:?}") };
        assert_eq!(text(&outcome), format!("\"{number}\""));
        assert_eq!(number == 2, draw < 0.25, "{draw}");
        second += u64::from(number == 2);
    }
    assert_eq!(second, 10);
    let counts = |version| {
        let scope = pitbird_names::Scope::default();
        bench.invoker.live_counts(&scope, "f", Some("live"), VersionId::Number(version)).read()
    };
    assert_eq!((counts(1).invocations, counts(2).invocations, counts(2).errors), (30, 10, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_code_serves_at_once_and_the_old_ends_what_it_runs() {
    let bench = Arc::new(bench().await);
    let old = bench.create(bash_loop("f", "sleep 0.3; respond '\"old\"'")).await;
    let call = tokio::spawn({
        let (bench, old) = (bench.clone(), old.clone());
        async move { bench.invoke(&old, "{}").await }
    });
    bench.until_environments(|count| count > 0).await;
    drop(old);
    let new = bench.create(bash_loop("f", "respond '\"new\"'")).await;
    assert_eq!(text(&bench.invoke(&new, "{}").await), "\"new\"");
    assert_eq!(text(&call.await.unwrap()), "\"old\"");
    bench.until_environments(|count| count == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_goes_on_when_its_caller_hangs_up() {
    let bench = bench().await;
    let function = bench.create(bash_loop("f", SLOW)).await;
    let call = bench.invoker.invoke(&function, None, 0.0, invocation("2"));
    assert!(tokio::time::timeout(Duration::from_millis(1), call).await.is_err());
    bench.invoke(&function, "0").await;
    let scope = pitbird_names::Scope::default();
    let counts = bench.invoker.live_counts(&scope, "f", None, VersionId::Latest);
    bench.until_log("f", |log| log.iter().filter(|line| line.starts_with("REPORT ")).count() == 2).await;
    assert_eq!(counts.read().invocations, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_what_runs_end_and_leaves_nothing() {
    let bench = Arc::new(bench().await);
    let function = bench.create(bash_loop("f", SLOW)).await;
    bench.invoke(&function, "0").await;
    let (name, version) = ("f".to_owned(), VersionId::Latest);
    let at_rest = Alive { function: name, version, ready: 1, idle: 1, starting: 0 };
    bench.until_alive(std::slice::from_ref(&at_rest)).await;
    let call = tokio::spawn({
        let (bench, function) = (bench.clone(), function.clone());
        async move { bench.invoke(&function, "5").await }
    });
    let starts = |log: &[String]| log.iter().filter(|line| line.starts_with("START ")).count();
    bench.until_log("f", |log| starts(log) == 2).await;
    assert_eq!(bench.invoker.alive(&Scope::default()), [Alive { idle: 0, ..at_rest }]);
    bench.invoker.shutdown().await;
    assert_eq!(bench.invoker.alive(&Scope::default()), []);
    assert_eq!(text(&call.await.unwrap()), "5");
    assert_eq!(*bench.invoker.environments().borrow(), 0);
    let refused = bench.try_invoke(&function, None, 0.0, "1").await.unwrap_err();
    assert!(matches!(refused, Refused::ShuttingDown), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_kills_what_does_not_end() {
    let limits = Limits { shutdown: Duration::from_millis(100), ..Limits::default() };
    let bench = Arc::new(bench_with(limits, EventPolicy::default()).await);
    let function = bench.create(bash_loop("f", "sleep 100")).await;
    let call = tokio::spawn({
        let (bench, function) = (bench.clone(), function.clone());
        async move { bench.invoke(&function, "{}").await }
    });
    bench.until_log("f", |log| log.iter().any(|line| line.starts_with("START "))).await;
    bench.invoker.shutdown().await;
    assert_eq!(call.await.unwrap().function_error, Some("Unhandled"));
    assert_eq!(*bench.invoker.environments().borrow(), 0);
}

/// What comes faster is throttled in Lambda's words, and counts in `Throttles` only.
#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_place_is_used_ten_times_a_second() {
    let bench = bench().await;
    let function = bench.create(Draft { reserved: Some(1), ..bash_loop("f", "respond 1") }).await;
    // All at one instant, whatever time they take.
    let at_ms = now_ms();
    let mut refused = 0;
    for number in 0..14 {
        let call = Invocation { at_ms, is_queued: number == 0, ..invocation("1") };
        match bench.invoker.invoke(&function, None, 0.0, call).await {
            Ok(_) => assert_eq!(refused, 0, "{number}"),
            Err(Refused::Throttled(throttle)) => {
                assert_eq!(throttle.as_str(), "ReservedFunctionInvocationRateLimitExceeded");
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(refused, 3, "one was queued, ten may begin");
    let counts = bench.invoker.live_counts(&Scope::default(), "f", None, VersionId::Latest).read();
    assert_eq!((counts.invocations, counts.throttles), (11, 3));
    let later = Invocation { at_ms: at_ms + 100, ..invocation("1") };
    bench.invoker.invoke(&function, None, 0.0, later).await.unwrap();
}

/// Who finds no environment waits for one that is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_so_many_environments_in_ten_seconds() {
    let limits = Limits { scaling: 2, wait: Duration::from_secs(60), ..Limits::default() };
    let bench = Arc::new(bench_with(limits, EventPolicy::default()).await);
    let function = bench.create(bash_loop("f", SLOW)).await;
    let other = bench.create(bash_loop("g", SLOW)).await;
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let (bench, function) = (bench.clone(), function.clone());
            tokio::spawn(async move { bench.invoke(&function, "3").await.environment })
        })
        .collect();
    let mut environments = BTreeSet::new();
    for call in calls {
        environments.insert(call.await.unwrap());
    }
    assert_eq!(environments.len(), 2, "{environments:?}");
    bench.invoke(&other, "0").await;
    assert_eq!(*bench.invoker.environments().borrow(), 3, "another function has its own");
}
