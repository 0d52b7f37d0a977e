//! What was used reaches the ledger on its ways, once.

use std::path::Path;
use std::sync::Arc;

use pitbird_names::{Month, Scope};
use pitbird_telemetry::logs::{GroupRetention, NewEvent, Spread};
use pitbird_telemetry::metrics::{Datum, Dimensions, Probe, ProbeSpec, Resolution, Samples, Unit};
use pitbird_telemetry::usage::{Subject, UsageSpec};
use pitbird_telemetry::{Config, Telemetry};

/// 2026-11-30 23:59 UTC.
const NOW_MS: i64 = 1_796_083_140_000;

fn open(dir: &Path) -> Arc<Telemetry> {
    Telemetry::open(dir, &Config::default()).expect("a folder of our own")
}

fn probe(telemetry: &Telemetry, alias: &str) -> Arc<Probe> {
    telemetry.probe(ProbeSpec {
        scope: Scope::default(),
        namespace: "AWS/Lambda".to_owned(),
        metrics: vec![("Invocations".to_owned(), Unit::Count)],
        dimension_sets: vec![Dimensions::from_iter([("Resource", alias)])],
        resolution: Resolution::Minute,
        usage: Some(UsageSpec {
            subject: Subject {
                scope: Scope::default(),
                service: "Lambda".to_owned(),
                names: Dimensions::from_iter([("FunctionName", "f")]),
            },
            quantities: vec!["Requests".to_owned(), "Bytes".to_owned()],
            totals_only: 1,
            part: String::new(),
        }),
    })
}

async fn used(telemetry: &Telemetry, month: &str) -> Vec<(String, String, u64)> {
    let month = Month::parse(month).expect("a month");
    let used = telemetry.usage(&Scope::default(), month).await.expect("a ledger");
    let name = |names: &Dimensions| names.iter().map(|(_, value)| value.to_owned()).collect::<String>();
    used.into_iter().map(|used| (name(&used.subject.names), used.quantity, used.amount)).collect()
}

fn row(name: &str, quantity: &str, amount: u64) -> (String, String, u64) {
    (name.to_owned(), quantity.to_owned(), amount)
}

#[tokio::test]
async fn what_probes_count_beside_is_added_up_by_month() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(dir.path());
    let (one, other) = (probe(&telemetry, "one"), probe(&telemetry, "other"));
    for i in 0..10 {
        one.record_used(NOW_MS + i * 10_000, &[1.0], &[1, 100, 7]);
    }
    other.record_used(NOW_MS, &[1.0], &[1, 5, 0]);
    other.record(NOW_MS, &[1.0]);
    assert_eq!(used(&telemetry, "2026-11").await, [row("f", "Bytes", 605), row("f", "Requests", 7)]);
    one.record_used(NOW_MS, &[f64::NAN], &[0, 1, 0]);
    assert_eq!(one.used(), [10, 1001, 70], "drained or not");
    telemetry.close().await.unwrap();
    drop(telemetry);
    let telemetry = open(dir.path());
    assert_eq!(used(&telemetry, "2026-11").await, [row("f", "Bytes", 606), row("f", "Requests", 7)]);
    assert_eq!(used(&telemetry, "2026-12").await, [row("f", "Bytes", 400), row("f", "Requests", 4)]);
}

#[tokio::test]
async fn log_groups_and_metrics_that_callers_put_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(dir.path());
    let scope = Scope::default();
    telemetry.create_stream(&scope, "g", "s").await.unwrap();
    let events: Vec<NewEvent> = [1, 2].map(|at_ms| NewEvent { at_ms, message: "é1".to_owned() }).to_vec();
    telemetry.append(&scope, "g", "s", &events).await.unwrap();
    telemetry.append(&scope, "g", "none", &events).await.unwrap_err();
    telemetry.log_stream(&scope, "line", "s", Spread::One).line(1, "abc");
    for (namespace, name) in [("App", "a"), ("App", "a"), ("App", "b"), ("AWS/Own", "c")] {
        let datum = Datum {
            name: name.to_owned(),
            dimensions: Dimensions::none(),
            unit: Unit::None,
            at_ms: NOW_MS,
            resolution: Resolution::Minute,
            samples: Samples::Values(vec![(1.0, 1.0)]),
        };
        telemetry.put(&scope, namespace, vec![datum]).await.unwrap();
    }
    let month =
        Month::of(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64).to_string();
    let found = used(&telemetry, &month).await;
    let bytes = "IngestedBytes";
    let metrics = found[2].2;
    assert!((2..=4).contains(&metrics), "two metrics, an hour may have ended between");
    assert_eq!(
        found,
        [row("g", bytes, 2 * (3 + 26)), row("line", bytes, 29), row("App", "MetricHours", metrics)]
    );
}

#[tokio::test]
async fn what_groups_hold_counts_from_sweep_to_sweep() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(dir.path());
    let event = [NewEvent { at_ms: NOW_MS, message: "abcd".to_owned() }];
    telemetry.create_stream(&Scope::default(), "g", "s").await.unwrap();
    telemetry.append(&Scope::default(), "g", "s", &event).await.unwrap();
    for minutes in [0, 1, 61] {
        telemetry.sweep(NOW_MS + minutes * 60_000, Vec::new()).await.unwrap();
    }
    let stored = "StoredByteMinutes";
    let of = async |month| {
        let rows = used(&telemetry, month).await;
        rows.into_iter().filter(|(_, quantity, _)| quantity == stored).collect::<Vec<_>>()
    };
    assert_eq!(of("2026-11").await, [row("g", stored, 30)]);
    assert_eq!(of("2026-12").await, [row("g", stored, 60 * 30)]);
}

#[tokio::test]
async fn what_retention_removes_counts_no_longer() {
    const DAY_MS: i64 = 86_400_000;
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(dir.path());
    let scope = Scope::default();
    let event = |at_ms, message: &str| NewEvent { at_ms, message: message.to_owned() };
    for (group, stream) in [("g", "s"), ("g", "other"), ("kept", "s")] {
        telemetry.create_stream(&scope, group, stream).await.unwrap();
        // Two days in one batch, the older one again in another.
        let events = [event(NOW_MS - 2 * DAY_MS, "abcd"), event(NOW_MS, "ef")];
        telemetry.append(&scope, group, stream, &events).await.unwrap();
        telemetry.append(&scope, group, stream, &[event(NOW_MS - 2 * DAY_MS, "ghi")]).await.unwrap();
    }
    let held = async |telemetry: &Telemetry, group: &str| {
        let groups = telemetry.groups(&scope).await.unwrap();
        groups.into_iter().find(|found| found.name == group).expect("a group").stored_bytes
    };
    assert_eq!(held(&telemetry, "g").await, 2 * (30 + 28 + 29));
    let retention = || vec![GroupRetention { scope: scope.clone(), group: "g".to_owned(), days: 1 }];
    telemetry.sweep(NOW_MS, retention()).await.unwrap();
    assert_eq!([held(&telemetry, "g").await, held(&telemetry, "kept").await], [2 * 28, 30 + 28 + 29]);
    telemetry.append(&scope, "g", "s", &[event(NOW_MS, "jkl")]).await.unwrap();
    telemetry.close().await.unwrap();
    drop(telemetry);
    let telemetry = open(dir.path());
    telemetry.sweep(NOW_MS, retention()).await.unwrap();
    assert_eq!(held(&telemetry, "g").await, 2 * 28 + 29, "once, also when swept again");
    let month = Month::of(NOW_MS + 120_000).to_string();
    telemetry.sweep(NOW_MS + 120_000, retention()).await.unwrap();
    let rows = used(&telemetry, &month).await;
    let stored = rows.into_iter().find(|(name, quantity, _)| name == "g" && quantity == "StoredByteMinutes");
    assert_eq!(stored.map(|(.., amount)| amount), Some(2 * 28 + 29), "a minute of the new month");
    telemetry.sweep(NOW_MS + 2 * DAY_MS, retention()).await.unwrap();
    assert_eq!(held(&telemetry, "g").await, 0);
}
