//! What metrics say of both arms.

use pitbird_names::Scope;
use pitbird_telemetry::metrics::{Datum, Resolution, Samples, Unit};
use pitbird_telemetry::{Config, Telemetry};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{BEGAN_MS, Bed, Traffic};

const MINUTE_MS: i64 = 60_000;

/// The minute in which the bed's clock begins.
fn this_minute() -> i64 {
    BEGAN_MS as i64 / MINUTE_MS * MINUTE_MS
}

async fn bed(directory: &tempfile::TempDir) -> Bed {
    let bed = Bed::open(directory.path(), Instant::now()).await;
    let telemetry = Telemetry::open(&directory.path().join("telemetry"), &Config::default()).unwrap();
    assert!(bed.metrics.set(telemetry).is_ok());
    bed
}

/// Samples of a metric, as the data plane takes them.
async fn put(
    bed: &Bed,
    namespace: &str,
    name: &str,
    dimensions: &[(&str, &str)],
    at_ms: i64,
    values: &[f64],
) {
    let datum = Datum {
        name: name.to_owned(),
        dimensions: dimensions.iter().copied().collect(),
        unit: Unit::None,
        at_ms,
        resolution: Resolution::Minute,
        samples: Samples::Values(values.iter().map(|value| (*value, 1.0)).collect()),
    };
    bed.metrics.get().unwrap().put(&Scope::default(), namespace, vec![datum]).await.unwrap();
}

/// Requests to a stage count in its own series, those to the canary also in another.
async fn stage(bed: &Bed, at_ms: i64, is_canary: bool, values: &[f64]) {
    let series: &[&str] = if is_canary { &["prod", "prod/Canary"] } else { &["prod"] };
    for stage in series {
        put(bed, "AWS/ApiGateway", "Latency", &[("ApiName", "pets"), ("Stage", stage)], at_ms, values).await;
    }
}

async fn version(bed: &Bed, function: &str, version: &str, metric: &str, values: &[f64]) {
    let resource = format!("{function}:live");
    let dimensions = [("FunctionName", function), ("Resource", &*resource), ("ExecutedVersion", version)];
    put(bed, "AWS/Lambda", metric, &dimensions, this_minute(), values).await;
}

async fn measures(bed: &Bed, name: &str) -> Json {
    bed.run("GetRolloutMeasures", json!({"Name": name})).await.unwrap()["Measures"].clone()
}

/// A latency is told with at most 1 % of error.
fn about(arm: &Json, name: &str, expected: f64) {
    let found = arm[name].as_f64().unwrap_or_else(|| panic!("{name} in {arm}"));
    assert!((found - expected).abs() <= 0.01 * expected, "{name} is {found}, not {expected}");
}

#[tokio::test]
async fn a_stages_base_is_told_without_its_canary() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.start_stage("v2", json!({})).await;
    let none = json!({"Base": {}, "Canary": {}});
    let told = measures(&bed, "v2").await;
    assert_eq!(told, json!([none]), "nothing was measured yet");
    let base: Vec<f64> = (1..=100).map(f64::from).collect();
    stage(&bed, this_minute(), false, &base).await;
    let before = measures(&bed, "v2").await[0]["Base"].clone();
    stage(&bed, this_minute(), true, &[900.0; 60]).await;
    stage(&bed, this_minute(), true, &[50.0; 20]).await;
    // Something slow of a rollout before, which isn't meant.
    stage(&bed, this_minute() - MINUTE_MS, true, &[7000.0; 60]).await;
    let told = measures(&bed, "v2").await[0].clone();
    assert_eq!(told["Base"], before, "the canary's numbers don't touch the base's");
    assert_eq!(told["Base"]["Minute"].as_f64(), Some(this_minute() as f64 / 1e3));
    for (arm, requests, p50, p95, p99) in
        [("Base", 100, 50.0, 95.0, 99.0), ("Canary", 80, 900.0, 900.0, 900.0)]
    {
        let arm = &told[arm];
        assert_eq!((&arm["Requests"], arm.get("Throttles")), (&json!(requests), None), "{arm}");
        about(arm, "LatencyP50", p50);
        about(arm, "LatencyP95", p95);
        about(arm, "LatencyP99", p99);
    }
    bed.close().await;
}

/// The pairs of each minute by the records of all looks.
async fn by_minute(bed: &Bed) -> Vec<Json> {
    let answer = bed.ok("GetRollout", json!({"Name": "v2", "MaxRecords": 1000})).await;
    let mut minutes: Vec<(f64, [u64; 3])> = Vec::new();
    let records = answer["Records"].as_array().unwrap().iter();
    for record in records.filter(|record| record["Pairs"] != json!(0)) {
        let minute = (record["At"].as_f64().unwrap() / 60.0).floor() * 60.0;
        let seen = ["Pairs", "PairsCanaryAlone", "PairsBaseAlone"].map(|name| record[name].as_u64().unwrap());
        match minutes.iter_mut().find(|(known, _)| *known == minute) {
            Some((_, sum)) => sum.iter_mut().zip(seen).for_each(|(sum, seen)| *sum += seen),
            None => minutes.push((minute, seen)),
        }
    }
    minutes.sort_by(|one, other| one.0.total_cmp(&other.0));
    let told = |(minute, [all, canary, base]): (f64, [u64; 3])| json!({"Minute": minute, "Requests": all, "CanaryAlone": canary, "BaseAlone": base});
    minutes.into_iter().map(told).collect()
}

async fn told(bed: &Bed) -> Json {
    bed.run("GetRolloutMeasures", json!({"Name": "v2"})).await.unwrap()
}

/// Minute by minute, also after a restart; nothing where the rollout asks for no pairs.
#[tokio::test(start_paused = true)]
async fn pairs_are_told_by_the_minutes_that_they_came_in() {
    let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let open = || async {
        let bed = Bed::open(directory.path(), began).await;
        let telemetry = Telemetry::open(&directory.path().join("telemetry"), &Config::default()).unwrap();
        assert!(bed.metrics.set(telemetry).is_ok());
        bed.traffic(Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 });
        bed
    };
    let bed = open().await;
    let steps = json!([{"Percent": 10, "WaitMs": 3_600_000}]);
    let more =
        json!({"Mirror": 100.0, "Steps": steps, "Rules": {"MaxDurationMs": 7_200_000, "IntervalMs": 10_000}});
    bed.start_stage("v2", more).await;
    assert_eq!(told(&bed).await["Pairs"], json!([]));
    bed.until("v2", |rollout| rollout["Evidence"]["Canary"]["Requests"].as_u64() > Some(0)).await;
    let at_s = |rollout: &Json| rollout["Evidence"]["At"].as_f64().unwrap();
    for minute in 1..=12_u64 {
        bed.pair(minute, false, false);
        bed.pair(2, false, true);
        bed.pair(1, true, false);
        let all: u64 = (1..=minute).map(|minute| minute + 3).sum();
        let seen = bed.until("v2", |rollout| rollout["Evidence"]["Pairs"]["Requests"] == all).await;
        bed.until("v2", |rollout| at_s(rollout) >= at_s(&seen) + 60.0).await;
    }
    let now = told(&bed).await;
    let pairs = now["Pairs"].as_array().unwrap();
    assert!((8..=10).contains(&pairs.len()), "{now}");
    assert_eq!(pairs[..], by_minute(&bed).await[12 - pairs.len()..]);
    bed.close().await;

    let bed = open().await;
    assert_eq!(told(&bed).await["Pairs"], now["Pairs"], "they are written down");
    bed.ok("AbortRollout", json!({"Name": "v2"})).await;
    bed.end("v2").await;
    bed.start_stage("v3", json!({})).await;
    let none = bed.run("GetRolloutMeasures", json!({"Name": "v3"})).await.unwrap();
    assert_eq!(none.get("Pairs"), None);
    bed.close().await;
}

#[tokio::test]
async fn an_alias_has_both_apart_and_its_throttles() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.start_alias("f2").await;
    version(&bed, "pets", "1", "Duration", &[10.0; 9]).await;
    version(&bed, "pets", "1", "Throttles", &[1.0; 3]).await;
    version(&bed, "pets", "2", "Throttles", &[1.0; 2]).await;
    let told = measures(&bed, "f2").await[0].clone();
    about(&told["Base"], "LatencyP99", 10.0);
    let minute = this_minute() as f64 / 1e3;
    assert_eq!((&told["Base"]["Requests"], &told["Base"]["Throttles"]), (&json!(9), &json!(3)));
    assert_eq!(told["Canary"], json!({"Minute": minute, "Requests": 0, "Throttles": 2}), "all were refused");
    bed.close().await;
}

#[tokio::test]
async fn functions_that_are_moved_together_are_told_one_by_one() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let aliases = ["toys", "pets"].map(|name| json!({"FunctionName": name, "AliasName": "live"}));
    let input = json!({
        "Name": "t2", "Target": {"LambdaAliases": aliases}, "Canary": {"FunctionVersions": {"pets": "2", "toys": "7"}},
    });
    bed.ok("StartRollout", input).await;
    version(&bed, "pets", "2", "Duration", &[10.0; 9]).await;
    version(&bed, "toys", "7", "Duration", &[30.0; 4]).await;
    let told = measures(&bed, "t2").await;
    for (at, function, requests, p50) in [(0, "pets", 9, 10.0), (1, "toys", 4, 30.0)] {
        let told = &told[at];
        assert_eq!(
            (&told["FunctionName"], &told["Canary"]["Requests"]),
            (&json!(function), &json!(requests))
        );
        about(&told["Canary"], "LatencyP50", p50);
        assert_eq!(told["Base"], json!({}));
    }
    bed.close().await;
}

#[tokio::test]
async fn what_came_after_the_end_is_told_only_where_there_is_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.start_stage("v2", json!({})).await;
    bed.ok("AbortRollout", json!({"Name": "v2"})).await;
    bed.end("v2").await;
    assert_eq!(measures(&bed, "v2").await, json!([{"Base": {}, "Canary": {}}]), "its metrics are gone");
    stage(&bed, this_minute(), false, &[10.0; 9]).await;
    stage(&bed, this_minute() + 2 * MINUTE_MS, false, &[70.0; 9]).await;
    about(&measures(&bed, "v2").await[0]["Base"], "LatencyP50", 10.0);
    let unknown = bed.run("GetRolloutMeasures", json!({"Name": "v9"})).await.unwrap_err();
    assert!(unknown.starts_with("ResourceNotFoundException"), "{unknown}");
    bed.close().await;
}
