//! An alarm on what a probe has measured, from the measurement to the state.

#![allow(clippy::unwrap_used, reason = "tests")]

use pitbird_names::Scope;
use pitbird_telemetry::alarm::{self, Comparison, LowSamples, MissingData, Outcome, Rule, State, Threshold};
use pitbird_telemetry::metrics::{Dimensions, Metric, ProbeSpec, Resolution, Stat, Unit};
use pitbird_telemetry::{Config, Telemetry};

/// 2025-11-23 12:03:00 UTC, no multiple of five minutes.
const NOON: i64 = 1_763_899_380_000;
const MINUTE: i64 = 60_000;

#[tokio::test]
async fn an_alarm_sees_what_a_probe_measures() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    let dimensions: Dimensions =
        [("FunctionName", "f"), ("Resource", "f:live"), ("ExecutedVersion", "2")].into_iter().collect();
    let probe = telemetry.probe(ProbeSpec {
        scope: Scope::default(),
        namespace: "AWS/Lambda".into(),
        metrics: vec![("Errors".into(), Unit::Count)],
        dimension_sets: vec![Dimensions::none(), dimensions.clone()],
        resolution: Resolution::Minute,
        usage: None,
    });
    let metric =
        Metric { scope: Scope::default(), namespace: "AWS/Lambda".into(), name: "Errors".into(), dimensions };
    let rule = Rule {
        stat: Some(Stat::Sum),
        stat_text: None,
        unit: None,
        period_s: 300,
        evaluation_periods: 2,
        datapoints_to_alarm: Some(2),
        threshold: Threshold::Static(Comparison::GreaterThan, 0.0),
        missing_data: MissingData::Missing,
        low_samples: LowSamples::Evaluate,
    };
    let evaluate = async |now_ms| -> Outcome {
        let found = telemetry.statistics(vec![rule.query(metric.clone(), now_ms)]).await.unwrap();
        alarm::evaluate(&rule, &alarm::points(&found[0], 0), now_ms).unwrap()
    };
    assert_eq!(evaluate(NOON).await.state, State::InsufficientData);
    for minute in 1..=10 {
        probe.record(NOON - minute * MINUTE, &[f64::from(minute == 2 || minute == 9)]);
    }
    let outcome = evaluate(NOON + 30_000).await;
    assert_eq!(outcome.state, State::Alarm);
    assert_eq!(
        outcome.reason,
        "Threshold Crossed: 2 out of the last 2 datapoints [1.0 (23/11/25 11:58:00), 1.0 (23/11/25 11:53:00)] were \
         greater than the threshold (0.0) (minimum 2 datapoints for OK -> ALARM transition)."
    );
    assert!(outcome.reason_data.contains(r#""sampleCount":5.0"#), "{}", outcome.reason_data);
    for minute in 0..5 {
        probe.record(NOON + minute * MINUTE, &[0.0]);
    }
    assert_eq!(evaluate(NOON + 5 * MINUTE).await.state, State::Ok);
}
