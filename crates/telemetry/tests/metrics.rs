//! Metrics through the whole crate: measured, put, read, listed, swept.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_telemetry::logs::Spread;
use pitbird_telemetry::metrics::{
    Datapoint, Datum, DimensionFilter, Dimensions, ListQuery, Measured, Metric, MetricQuery, ProbeSpec,
    Resolution, Samples, SeriesQuery, Stat, Unit,
};
use pitbird_telemetry::usage::{Subject, UsageSpec};
use pitbird_telemetry::{Config, Error, Telemetry};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_millis() as i64 / MINUTE * MINUTE
}

fn open(dir: &tempfile::TempDir) -> Arc<Telemetry> {
    Telemetry::open(dir.path(), &Config::default()).unwrap()
}

fn dimensions(pairs: &[(&str, &str)]) -> Dimensions {
    pairs.iter().copied().collect()
}

fn datum(name: &str, pairs: &[(&str, &str)], at_ms: i64, value: f64) -> Datum {
    Datum {
        name: name.to_owned(),
        dimensions: dimensions(pairs),
        unit: Unit::None,
        at_ms,
        resolution: Resolution::Minute,
        samples: Samples::Values(vec![(value, 1.0)]),
    }
}

fn metric(namespace: &str, name: &str, pairs: &[(&str, &str)]) -> Metric {
    Metric {
        scope: Scope::default(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: dimensions(pairs),
    }
}

fn query(metric: Metric, period_s: u32, start_ms: i64, end_ms: i64, stats: &[&str]) -> MetricQuery {
    let stats = stats.iter().map(|text| Stat::parse(text).unwrap()).collect();
    MetricQuery { metric, unit: None, period_s, start_ms, end_ms, stats, now_ms: now() }
}

async fn read(telemetry: &Telemetry, query: MetricQuery) -> Vec<Datapoint> {
    telemetry.statistics(vec![query]).await.unwrap().remove(0)
}

/// Time, unit and the values of each datapoint.
fn table(points: &[Datapoint]) -> Vec<(i64, Unit, Vec<Option<f64>>)> {
    points.iter().map(|point| (point.at_ms, point.unit, point.values.clone())).collect()
}

fn exchanges(telemetry: &Telemetry) -> Arc<pitbird_telemetry::metrics::Probe> {
    telemetry.probe(ProbeSpec {
        scope: Scope::default(),
        namespace: "AWS/ApiGateway".into(),
        metrics: vec![
            ("Count".into(), Unit::Count),
            ("5XXError".into(), Unit::Count),
            ("Latency".into(), Unit::Milliseconds),
        ],
        dimension_sets: vec![
            dimensions(&[("ApiName", "shop")]),
            dimensions(&[("ApiName", "shop"), ("Stage", "prod")]),
            dimensions(&[("ApiName", "shop"), ("Stage", "prod/Canary")]),
        ],
        resolution: Resolution::Minute,
        usage: None,
    })
}

#[tokio::test]
async fn a_probe_counts_in_every_dimension_set() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let probe = exchanges(&telemetry);
    let at = now() - 5 * MINUTE;
    for number in 0..100 {
        probe.record(at + number * 100, &[1.0, f64::from(number % 10 == 0), 10.0]);
    }
    // A throttled one has no latency.
    probe.record(at + MINUTE, &[1.0, 1.0, f64::NAN]);
    for pairs in [
        &[("ApiName", "shop")][..],
        &[("ApiName", "shop"), ("Stage", "prod")],
        &[("Stage", "prod/Canary"), ("ApiName", "shop")],
    ] {
        let count =
            query(metric("AWS/ApiGateway", "Count", pairs), 60, at, at + 2 * MINUTE, &["Sum", "SampleCount"]);
        let expected =
            [(at, Unit::Count, vec![Some(100.0); 2]), (at + MINUTE, Unit::Count, vec![Some(1.0); 2])];
        assert_eq!(table(&read(&telemetry, count).await), expected);
        let errors =
            query(metric("AWS/ApiGateway", "5XXError", pairs), 300, at, at + 5 * MINUTE, &["Sum", "Average"]);
        assert_eq!(
            table(&read(&telemetry, errors).await),
            [(at, Unit::Count, vec![Some(11.0), Some(11.0 / 101.0)])]
        );
        let latency = query(
            metric("AWS/ApiGateway", "Latency", pairs),
            60,
            at,
            at + 2 * MINUTE,
            &["p99", "SampleCount"],
        );
        assert_eq!(
            table(&read(&telemetry, latency).await),
            [(at, Unit::Milliseconds, vec![Some(10.0), Some(100.0)])]
        );
    }
    let totals: Vec<(u64, f64)> = probe.totals().iter().map(|total| (total.count, total.sum)).collect();
    assert_eq!(totals, [(101, 101.0), (101, 11.0), (100, 1000.0)]);
}

#[tokio::test]
async fn without_the_data_plane_only_what_callers_bring_is_kept() {
    let at = now() - 5 * MINUTE;
    let shop = [("ApiName", "shop")];
    let counts = async |takes_data_plane: bool| {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { takes_data_plane, ..Config::default() };
        let telemetry = Telemetry::open(dir.path(), &config).unwrap();
        let probe = exchanges(&telemetry);
        probe.record(at, &[1.0, 0.0, 5.0]);
        let stream = telemetry.log_stream(&Scope::default(), "g", "s", Spread::Many);
        stream.line(at, "a line");
        telemetry.put(&Scope::default(), "N", vec![datum("m", &[], at, 1.0)]).await.unwrap();
        telemetry.flush().await.unwrap();
        let points = async |metric: Metric| {
            read(&telemetry, query(metric, 60, at, at + MINUTE, &["SampleCount"])).await.len()
        };
        let measured = points(metric("AWS/ApiGateway", "Count", &shop)).await;
        let put = points(metric("N", "m", &[])).await;
        let groups = telemetry.groups(&Scope::default()).await.unwrap().len();
        (measured, probe.totals()[0].count, groups, put)
    };
    assert_eq!(counts(true).await, (1, 1, 1, 1));
    assert_eq!(counts(false).await, (0, 0, 0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_are_exact_and_rise_while_many_write() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let probe = exchanges(&telemetry);
    let at = now() - MINUTE;
    const EACH: u64 = 20_000;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let probe = probe.clone();
            std::thread::spawn(move || {
                for number in 0..EACH {
                    probe.record(at, &[1.0, f64::from(number % 4 == 0), number as f64]);
                }
            })
        })
        .collect();
    let mut last = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        let totals = probe.totals();
        assert!(
            totals[0].count >= last && totals[0].count == totals[1].count,
            "a record is in wholly or not"
        );
        assert!(totals[1].sum <= totals[0].sum);
        last = totals[0].count;
        telemetry.flush().await.unwrap();
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!((probe.totals()[0].count, probe.totals()[1].sum), (4 * EACH, EACH as f64));
    let count =
        query(metric("AWS/ApiGateway", "Count", &[("ApiName", "shop")]), 60, at, at + MINUTE, &["Sum"]);
    assert_eq!(table(&read(&telemetry, count).await), [(at, Unit::Count, vec![Some(4.0 * EACH as f64)])]);
}

#[tokio::test]
async fn the_same_spec_is_the_same_probe() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let probe = exchanges(&telemetry);
    probe.record(now(), &[1.0, 0.0, 5.0]);
    assert!(Arc::ptr_eq(&probe, &exchanges(&telemetry)));
    assert_eq!(exchanges(&telemetry).totals()[0].count, 1);
}

#[tokio::test]
async fn what_is_put_is_read_and_survives() {
    let dir = tempfile::tempdir().unwrap();
    let at = now() - HOUR;
    let own = || metric("Shop", "Orders", &[]);
    {
        let telemetry = open(&dir);
        let samples = Samples::Values(vec![(1.0, 3.0), (5.0, 1.0)]);
        let counts = Datum { samples, unit: Unit::Count, ..datum("Orders", &[], at, 0.0) };
        let set = Samples::Set { count: 2.0, sum: 6.0, min: 2.0, max: 4.0 };
        let set = Datum { samples: set, unit: Unit::Count, ..datum("Orders", &[], at + MINUTE + 1, 0.0) };
        telemetry
            .put(&Scope::default(), "Shop", vec![counts, set, datum("Orders", &[], at, 9.0)])
            .await
            .unwrap();
        telemetry.close().await.unwrap();
        assert_eq!(telemetry.flush().await, Err(Error::Closed));
    }
    let telemetry = open(&dir);
    telemetry.put(&Scope::default(), "Shop", vec![datum("Orders", &[], at, 1.0)]).await.unwrap();
    let stats = ["Sum", "Minimum", "Maximum", "p50"];
    let by_minute = read(&telemetry, query(own(), 60, at, at + HOUR, &stats)).await;
    let expected = [
        (at, Unit::Count, vec![Some(8.0), Some(1.0), Some(5.0), by_minute[0].values[3]]),
        (at + MINUTE, Unit::Count, vec![Some(6.0), Some(2.0), Some(4.0), None]),
        (at, Unit::None, vec![Some(10.0), Some(1.0), Some(9.0), by_minute[2].values[3]]),
    ];
    assert_eq!(table(&by_minute), expected);
    let only = MetricQuery { unit: Some(Unit::None), ..query(own(), 300, at, at + HOUR, &["SampleCount"]) };
    assert_eq!(table(&read(&telemetry, only).await), [(at, Unit::None, vec![Some(2.0)])]);
    assert!(
        read(&telemetry, query(metric("Shop", "Orders", &[("a", "b")]), 60, at, at + HOUR, &["Sum"]))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn periods_start_where_the_query_starts_and_end_is_exclusive() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let at = now() - HOUR;
    let data = (0..10).map(|minute| datum("m", &[], at + minute * MINUTE, 1.0)).collect();
    telemetry.put(&Scope::default(), "n", data).await.unwrap();
    let ask = query(metric("n", "m", &[]), 120, at + MINUTE + 59_000, at + 8 * MINUTE, &["Sum"]);
    let expected: Vec<_> = [(1, 2.0), (3, 2.0), (5, 2.0), (7, 1.0)]
        .map(|(minute, sum)| (at + minute * MINUTE, Unit::None, vec![Some(sum)]))
        .to_vec();
    assert_eq!(table(&read(&telemetry, ask).await), expected);
}

#[tokio::test]
async fn seconds_are_kept_when_asked_and_read_for_three_hours() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    for at in [now() - 4 * HOUR, now() - HOUR] {
        let fine = |second: i64| Datum {
            resolution: Resolution::Second,
            ..datum("m", &[], at + second * 1000 + 999, 1.0)
        };
        telemetry.put(&Scope::default(), "n", vec![fine(0), fine(3), fine(3), fine(11)]).await.unwrap();
    }
    let read_at = async |age: i64, period| {
        let at = now() - age;
        let points = read(&telemetry, query(metric("n", "m", &[]), period, at, at + MINUTE, &["Sum"])).await;
        points.iter().map(|point| (point.at_ms - at, point.values[0].unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(read_at(HOUR, 1).await, [(0, 1.0), (3000, 2.0), (11_000, 1.0)]);
    assert_eq!(read_at(HOUR, 10).await, [(0, 3.0), (10_000, 1.0)]);
    assert_eq!(read_at(HOUR, 60).await, [(0, 4.0)]);
    assert_eq!(read_at(4 * HOUR, 10).await, []);
    assert_eq!(read_at(4 * HOUR, 60).await, [(0, 4.0)]);
}

#[tokio::test]
async fn days_are_rolled_up_with_age_and_deleted_at_last() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let at = (now() - 10 * DAY) / DAY * DAY;
    let data = (0..60).map(|minute| datum("m", &[], at + minute * MINUTE, minute as f64)).collect();
    telemetry.put(&Scope::default(), "n", data).await.unwrap();
    let read_as_of = async |days: i64, period| {
        let mut query =
            query(metric("n", "m", &[]), period, at, at + HOUR, &["Sum", "SampleCount", "Maximum"]);
        query.now_ms = at + days * DAY;
        let points = read(&telemetry, query).await;
        (points.len(), points.first().map(|point| point.values.clone()))
    };
    let first = |values: [f64; 3]| Some(values.map(Some).to_vec());
    assert_eq!(read_as_of(14, 60).await, (60, first([0.0, 1.0, 0.0])));
    assert_eq!(read_as_of(16, 60).await, (0, None));
    for (days, points_300) in [(16, 12), (64, 0)] {
        telemetry.sweep(at + days * DAY + 1, Vec::new()).await.unwrap();
        assert_eq!(read_as_of(days, 300).await.0, points_300);
        assert_eq!(read_as_of(days, 3600).await, (1, first([1770.0, 60.0, 59.0])));
    }
    telemetry.sweep(at + 470 * DAY, Vec::new()).await.unwrap();
    assert_eq!(read_as_of(100, 3600).await, (0, None));
    let list = ListQuery { now_ms: at, ..list() };
    assert_eq!(telemetry.metrics(list).await.unwrap().metrics, []);
}

fn list() -> ListQuery {
    ListQuery {
        scope: Scope::default(),
        namespace: None,
        name: None,
        dimensions: Vec::new(),
        recently_active: false,
        token: None,
        limit: 500,
        now_ms: now(),
    }
}

#[tokio::test]
async fn metrics_are_listed_by_page_and_filter() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let mut data: Vec<Datum> =
        (0..25).map(|n| datum(&format!("m{n:02}"), &[("k", "v")], now(), 1.0)).collect();
    data.push(Datum { unit: Unit::Count, ..datum("m00", &[("k", "v")], now(), 1.0) });
    data.push(datum("m00", &[("k", "w"), ("other", "x")], now(), 1.0));
    telemetry.put(&Scope::default(), "n", data).await.unwrap();
    telemetry.put(&Scope::default(), "z", vec![datum("m00", &[], now(), 1.0)]).await.unwrap();
    exchanges(&telemetry).record(now(), &[1.0, 0.0, f64::NAN]);

    let mut names = Vec::new();
    let mut token = None;
    loop {
        let page = telemetry.metrics(ListQuery { token, limit: 10, ..list() }).await.unwrap();
        assert!(page.metrics.len() == 10 || page.token.is_none());
        names.extend(page.metrics);
        token = page.token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 9 + 26 + 1);
    let key = |metric: &Metric| (metric.namespace.clone(), metric.name.clone());
    assert!(names.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1]) && pair[0] != pair[1]));

    let filter = |name: &str, value: Option<&str>| DimensionFilter {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    };
    for (query, expected) in [
        (ListQuery { namespace: Some("z".into()), ..list() }, 1),
        (ListQuery { name: Some("m00".into()), ..list() }, 3),
        (ListQuery { dimensions: vec![filter("k", None)], ..list() }, 26),
        (ListQuery { dimensions: vec![filter("k", Some("w"))], ..list() }, 1),
        (ListQuery { dimensions: vec![filter("k", None), filter("other", None)], ..list() }, 1),
        (ListQuery { dimensions: vec![filter("Stage", Some("prod/Canary"))], ..list() }, 3),
        (ListQuery { recently_active: true, ..list() }, 36),
        (ListQuery { recently_active: true, now_ms: now() + 4 * HOUR, ..list() }, 0),
        (ListQuery { now_ms: now() + 13 * DAY, ..list() }, 36),
        (ListQuery { now_ms: now() + 15 * DAY, ..list() }, 0),
    ] {
        assert_eq!(telemetry.metrics(query.clone()).await.unwrap().metrics.len(), expected, "{query:?}");
    }
    let bad = telemetry.metrics(ListQuery { token: Some("?".into()), ..list() }).await;
    assert_eq!(bad, Err(Error::InvalidToken));
}

#[tokio::test]
async fn too_many_metrics_are_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config { metrics_max: 2, ..Config::default() }).unwrap();
    telemetry.put(&Scope::default(), "n", vec![datum("a", &[], now(), 1.0)]).await.unwrap();
    let both = vec![datum("b", &[], now(), 1.0), datum("c", &[], now(), 1.0)];
    let refused = telemetry.put(&Scope::default(), "n", both).await;
    assert_eq!(refused, Err(Error::TooManyMetrics { limit: 2 }));
    telemetry.put(&Scope::default(), "n", vec![datum("d", &[], now(), 1.0)]).await.unwrap();
    let names = telemetry.metrics(list()).await.unwrap().metrics;
    assert_eq!(names.iter().map(|metric| metric.name.as_str()).collect::<Vec<_>>(), ["a", "d"]);
}

#[tokio::test]
async fn bounds_of_a_query_are_held() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    for period in [0, 2, 61, 86_460] {
        let ask = query(metric("n", "m", &[]), period, 0, MINUTE, &["Sum"]);
        assert_eq!(telemetry.statistics(vec![ask]).await, Err(Error::Period(period)));
    }
    let ask = query(metric("n", "m", &[]), 1, now() - 2 * DAY, now(), &["Sum"]);
    let refused = telemetry.statistics(vec![ask]).await;
    assert_eq!(refused, Err(Error::TooManyDatapoints { asked: 172_800, limit: 100_800 }));
}

fn series(metrics: &[Metric], period_s: u32, start_ms: i64, end_ms: i64, stat: &str) -> SeriesQuery {
    let stat = Stat::parse(stat).unwrap();
    SeriesQuery { metrics: metrics.to_vec(), unit: None, period_s, start_ms, end_ms, now_ms: now(), stat }
}

#[tokio::test]
async fn series_say_what_statistics_say() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let start = now() - 3 * DAY;
    let data = |name: &str| {
        let at = |hour: i64| {
            datum(name, &[("d", "x")], start + hour * HOUR + hour % 3 * MINUTE, (hour % 7) as f64)
        };
        (0..72).map(at).collect::<Vec<_>>()
    };
    for name in ["m", "n"] {
        telemetry.put(&Scope::default(), "N", data(name)).await.unwrap();
    }
    for stat in ["Sum", "SampleCount", "Average", "Minimum", "Maximum", "p50", "tm90", "PR(:3)"] {
        for period in [60, 3600, 21_600] {
            let asked = ["m", "missing", "n"].map(|name| metric("N", name, &[("d", "x")]));
            let queries = asked
                .iter()
                .map(|metric| series(std::slice::from_ref(metric), period, start, start + 3 * DAY, stat));
            let found = telemetry.series(queries.collect()).await.unwrap();
            for (metric, found) in asked.iter().zip(found) {
                let points =
                    read(&telemetry, query(metric.clone(), period, start, start + 3 * DAY, &[stat])).await;
                let points: Vec<_> =
                    points.iter().map(|point| (point.at_ms, point.values[0].unwrap())).collect();
                assert_eq!(found, points, "{stat} {period}");
                assert_eq!(found.is_empty(), metric.name == "missing");
            }
        }
    }
}

#[tokio::test]
async fn several_metrics_count_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let at = now() - 10 * MINUTE;
    for (dimension, minute, value) in [("a", 0, 1.0), ("b", 0, 5.0), ("b", 1, 7.0), ("c", 0, 100.0)] {
        let datum = datum("m", &[("d", dimension)], at + minute * MINUTE, value);
        telemetry.put(&Scope::default(), "N", vec![datum]).await.unwrap();
    }
    let both = ["a", "b"].map(|value| metric("N", "m", &[("d", value)]));
    for (stat, expected) in
        [("Sum", [6.0, 7.0]), ("Average", [3.0, 7.0]), ("SampleCount", [2.0, 1.0]), ("Maximum", [5.0, 7.0])]
    {
        let asked = series(&both, 60, at, at + 5 * MINUTE, stat);
        let found = telemetry.series(vec![asked]).await.unwrap().remove(0);
        assert_eq!(found, [(at, expected[0]), (at + MINUTE, expected[1])], "{stat}");
    }
    let list = ListQuery {
        scope: Scope::default(),
        namespace: Some("N".to_owned()),
        name: None,
        dimensions: Vec::new(),
        recently_active: false,
        token: None,
        limit: 0,
        now_ms: now(),
    };
    let names = async |most| {
        let fits = |metric: &Metric| metric.dimensions.get("d") != Some("b");
        let found = telemetry.find_metrics(list.clone(), most, fits).await.unwrap();
        found.iter().map(|metric| metric.dimensions.get("d").unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(5).await, ["a", "c"]);
    assert_eq!(names(1).await, ["a"]);
}

#[tokio::test]
async fn of_units_that_differ_the_last_measured_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let at = now() - 10 * MINUTE;
    for (unit, minute) in [(Unit::Seconds, 1), (Unit::Count, 3), (Unit::Bytes, 2)] {
        let datum = Datum { unit, ..datum("m", &[], at + minute * MINUTE, minute as f64) };
        telemetry.put(&Scope::default(), "N", vec![datum]).await.unwrap();
    }
    let asked = series(&[metric("N", "m", &[])], 60, at, at + 5 * MINUTE, "Sum");
    assert_eq!(telemetry.series(vec![asked.clone()]).await.unwrap(), [vec![(at + 3 * MINUTE, 3.0)]]);
    let asked = SeriesQuery { unit: Some(Unit::Bytes), ..asked };
    assert_eq!(telemetry.series(vec![asked]).await.unwrap(), [vec![(at + 2 * MINUTE, 2.0)]]);
}

#[tokio::test]
async fn what_probes_have_counted_outlasts_them() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let spec = |name: String| ProbeSpec {
        scope: Scope::default(),
        namespace: "N".into(),
        metrics: vec![("Count".into(), Unit::Count)],
        dimension_sets: vec![[("name".to_owned(), name.clone())].into_iter().collect()],
        resolution: Resolution::Minute,
        usage: Some(UsageSpec {
            subject: Subject {
                scope: Scope::default(),
                service: "S".to_owned(),
                names: [("name".to_owned(), name)].into_iter().collect(),
            },
            quantities: Vec::new(),
            totals_only: 0,
            part: String::new(),
        }),
    };
    let take = |name: String| telemetry.probe(spec(name)).record(now(), &[2.0]);
    let of = |name: &str| {
        let counted = telemetry.counted().into_iter().find(|counted| counted.spec == spec(name.to_owned()));
        counted.map(|counted| (counted.totals[0].count, counted.totals[0].sum, counted.number))
    };
    take("first".to_owned());
    let number = of("first").unwrap().2;
    // More than are kept unheld, one by one, and more than are remembered each for itself.
    for n in 0..10_000 {
        take(format!("{n}"));
        if n % 200 == 0 {
            // Those that have something to hand over are held until they have.
            telemetry.flush().await.unwrap();
        }
        if n == 1000 {
            take("first".to_owned());
            assert_eq!(of("first"), Some((2, 4.0, number)));
        }
    }
    let all = telemetry.counted();
    assert!(all.is_sorted_by_key(|counted| counted.number));
    assert!(all.len() < 10_000, "what is remembered is bounded");
    let (last, total) = (all.last().unwrap(), all.iter().map(|counted| counted.totals[0].count).sum::<u64>());
    assert_eq!((total, last.spec.dimension_sets.len()), (10_002, 0), "nothing is lost");
    assert_eq!(of("first"), Some((2, 4.0, number)));
}

#[tokio::test]
async fn who_watches_is_shown_all_that_is_added() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let seen: Arc<std::sync::Mutex<Vec<_>>> = Arc::default();
    let shown = seen.clone();
    let watch = move |added: &Measured<'_>| {
        let Measured { namespace, name, dimensions, samples, .. } = *added;
        let sum = samples.stat(Stat::Sum).unwrap();
        let dimension = dimensions.get("a").unwrap_or("-").to_owned();
        shown.lock().unwrap().push((namespace.to_owned(), name.to_owned(), dimension, sum, added.series));
    };
    telemetry.put(&Scope::default(), "before", vec![datum("m", &[], now(), 1.0)]).await.unwrap();
    assert!(telemetry.watch_metrics(Arc::new(watch)));
    assert!(!telemetry.watch_metrics(Arc::new(|_| {})), "there is one");
    let twice = vec![datum("m", &[("a", "1")], now(), 2.0), datum("m", &[("a", "1")], now() - DAY, 3.0)];
    telemetry.put(&Scope::default(), "put", twice).await.unwrap();
    let probe = telemetry.probe(ProbeSpec {
        scope: Scope::default(),
        namespace: "probed".to_owned(),
        metrics: vec![("m".to_owned(), Unit::Count), ("unmeasured".to_owned(), Unit::Count)],
        dimension_sets: vec![dimensions(&[]), dimensions(&[("a", "2")])],
        resolution: Resolution::Minute,
        usage: None,
    });
    probe.record(now(), &[4.0, f64::NAN]);
    telemetry.flush().await.unwrap();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let told: Vec<_> =
        seen.iter().map(|(space, name, value, sum, _)| (&**space, &**name, &**value, *sum)).collect();
    let put = [("put", "m", "1", 2.0), ("put", "m", "1", 3.0)];
    assert_eq!(told, [put[0], put[1], ("probed", "m", "-", 4.0), ("probed", "m", "2", 4.0)]);
    assert_eq!(seen[0].4, seen[1].4, "one series");
    assert!(seen[2].4 != seen[3].4 && seen[0].4 != seen[2].4);
}
