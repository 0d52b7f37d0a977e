//! What invocations leave in `AWS/Lambda`.

use std::sync::Arc;

use pitbird_names::{Qualifier, Scope, VersionId};
use pitbird_telemetry::metrics::{Dimensions, Metric, MetricQuery, Stat, Unit};
use pitbird_telemetry::tally::{Spec, Subject, Tally, Watch};

use pitbird_invoke::Event;

use crate::bench::{Bench, Draft, bash_loop, bench, invocation, now_ms};

/// A statistic of the last minutes, `None` when nothing was measured.
pub async fn measured(bench: &Bench, name: &str, dimensions: &[(&str, &str)], stat: Stat) -> Option<f64> {
    let unit = if ["Duration", "AsyncEventAge", "PostRuntimeExtensionsDuration"].contains(&name) {
        Unit::Milliseconds
    } else if name.ends_with("Utilization") {
        Unit::None
    } else {
        Unit::Count
    };
    let metric = Metric {
        scope: Scope::default(),
        namespace: "AWS/Lambda".to_owned(),
        name: name.to_owned(),
        dimensions: dimensions.iter().copied().collect::<Dimensions>(),
    };
    let start_ms = (now_ms() / 60_000 - 1) * 60_000;
    let query = MetricQuery {
        metric,
        unit: Some(unit),
        start_ms,
        end_ms: start_ms + 300_000,
        period_s: 300,
        stats: vec![stat],
        now_ms: now_ms(),
    };
    let points = bench.telemetry.statistics(vec![query]).await.unwrap().remove(0);
    points.first().and_then(|point| point.values[0])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dimension_set_has_its_share() {
    let bench = bench().await;
    let body = "case $event in 1) respond 1;; *) call POST /runtime/invocation/$id/error '{}';; esac";
    for number in [1, 2] {
        let mut draft = bash_loop("f", body);
        draft.version = VersionId::Number(number);
        draft.files.push(("readme", number.to_string(), 0o644));
        bench.create(draft).await;
    }
    bench.create(bash_loop("f", body)).await;
    let function = bench.alias("f", "live", 0.5).await;
    let live = Qualifier::Alias("live".to_owned());
    let first = Qualifier::Version(VersionId::Number(1));
    let tally = Arc::new(Tally::new(Spec { is_timed: true, ..Spec::default() }));
    let (scope, function_name, alias) = (Scope::default(), "f".to_owned(), "live".to_owned());
    let slot = bench.telemetry.slot(Subject::Alias { scope, function: function_name, alias });
    slot.put(Arc::new(Watch { tally: tally.clone(), base: 1, canary: 2, route: None }));
    for (qualifier, draw, event) in [
        (None, 0.0, "1"),
        (Some(&first), 0.0, "1"),
        (Some(&live), 0.9, "1"),
        (Some(&live), 0.1, "1"),
        (Some(&live), 0.1, "2"),
    ] {
        bench.try_invoke(&function, qualifier, draw, event).await.unwrap();
        bench.until_idle().await;
    }
    // Whoever tries versions under the alias hears of its invocations alone.
    let counted = tally.read();
    let (base, canary) = (counted.all.base, counted.all.canary);
    assert_eq!((base.requests(), base.cold()), (1, 0), "its environment had served the version's own call");
    assert_eq!((canary.requests(), canary.failures(), canary.cold()), (2, 1, 1));
    assert_eq!((counted.failing_environments, counted.failing_clients), (Some(1), None));
    assert_eq!(tally.history(None).expect("of all").requests(), 1);
    let name = ("FunctionName", "f");
    let alias = ("Resource", "f:live");
    for (dimensions, invocations, errors) in [
        (&[][..], 5.0, 1.0),
        (&[name], 5.0, 1.0),
        (&[name, ("Resource", "f")], 1.0, 0.0),
        (&[name, ("Resource", "f:1")], 1.0, 0.0),
        (&[name, alias], 3.0, 1.0),
        (&[name, alias, ("ExecutedVersion", "1")], 1.0, 0.0),
        (&[name, alias, ("ExecutedVersion", "2")], 2.0, 1.0),
    ] {
        let sum = async |metric| measured(&bench, metric, dimensions, Stat::Sum).await;
        assert_eq!(sum("Invocations").await, Some(invocations), "{dimensions:?}");
        assert_eq!(sum("Errors").await, Some(errors), "{dimensions:?}");
        assert!(sum("Duration").await.unwrap() > 0.0, "{dimensions:?}");
        assert_eq!(sum("Throttles").await, None, "{dimensions:?}");
    }
    for dimensions in [&[][..], &[name]] {
        let most = measured(&bench, "ConcurrentExecutions", dimensions, Stat::Maximum).await;
        assert_eq!(most, Some(1.0), "{dimensions:?}");
    }
    for metric in ["UnreservedConcurrentExecutions", "ClaimedAccountConcurrency"] {
        assert_eq!(measured(&bench, metric, &[], Stat::Maximum).await, Some(1.0), "{metric}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_aside_is_claimed_and_a_throttled_call_counts_nowhere_else() {
    let bench = bench().await;
    bench.create(Draft { reserved: Some(7), ..bash_loop("other", "respond 1") }).await;
    let function = bench.create(bash_loop("shared", "respond 1")).await;
    bench.invoke(&function, "{}").await;
    let most = async |metric| measured(&bench, metric, &[], Stat::Maximum).await;
    assert_eq!(most("UnreservedConcurrentExecutions").await, Some(1.0));
    assert_eq!(most("ClaimedAccountConcurrency").await, Some(8.0), "seven are set aside");
    let function = bench.create(Draft { reserved: Some(0), ..bash_loop("f", "respond 1") }).await;
    bench.try_invoke(&function, None, 0.0, "{}").await.unwrap_err();
    let name = [("FunctionName", "f")];
    assert_eq!(measured(&bench, "Throttles", &name, Stat::Sum).await, Some(1.0));
    assert_eq!(measured(&bench, "Invocations", &name, Stat::Sum).await, None);
    assert_eq!(measured(&bench, "Errors", &name, Stat::Sum).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_counted_from_their_coming_to_their_end() {
    let bench = bench().await;
    bench.create(bash_loop("f", "respond 1")).await;
    for qualifier in [None, Some(Qualifier::Alias("nobody".to_owned()))] {
        let (scope, function, invocation) = (Scope::default(), "f".to_owned(), invocation("{}"));
        bench.invoker.enqueue(Event { scope, function, qualifier, invocation }).await.unwrap();
    }
    bench.invoker.open_events().wait_for(|open| *open == 0).await.unwrap();
    let name = [("FunctionName", "f")];
    for (metric, sum) in [("AsyncEventsReceived", 2.0), ("AsyncEventsDropped", 1.0), ("Invocations", 1.0)] {
        assert_eq!(measured(&bench, metric, &name, Stat::Sum).await, Some(sum), "{metric}");
    }
    assert_eq!(measured(&bench, "AsyncEventAge", &name, Stat::SampleCount).await, Some(2.0));
    for (resource, received, dropped) in [("f", 1.0, None), ("f:nobody", 1.0, Some(1.0))] {
        let dimensions = [name[0], ("Resource", resource)];
        let sum = async |metric| measured(&bench, metric, &dimensions, Stat::Sum).await;
        assert_eq!(sum("AsyncEventsReceived").await, Some(received), "{resource}");
        assert_eq!(sum("AsyncEventsDropped").await, dropped, "{resource}");
    }
}
