//! Anomaly detection from the measurement to the band and the alarm.

use super::*;
use crate::{Due, step};

fn metric() -> Json {
    json!({"Namespace": "N", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}]})
}

fn detector() -> Json {
    with(&metric(), json!({"Stat": "Average"}))
}

/// The metric and its band.
fn queries(width: &str) -> Json {
    json!([
        {"Id": "m1", "MetricStat": {"Metric": metric(), "Period": 60, "Stat": "Average"}},
        {"Id": "ad1", "Expression": format!("ANOMALY_DETECTION_BAND(m1, {width})")},
    ])
}

fn band_alarm(name: &str, comparison: &str) -> Json {
    json!({
        "AlarmName": name, "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "ComparisonOperator": comparison,
        "ThresholdMetricId": "ad1", "Metrics": queries("2"),
    })
}

impl Bed {
    /// Values from 10 to 12 in each of the last minutes but one.
    async fn usual(&self, minutes: i64) {
        let datum = |minute: i64| {
            json!({
                "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}],
                "Timestamp": self.at(-minute * MINUTE), "Value": 10.0 + (minute % 3) as f64,
            })
        };
        let data: Vec<Json> = (2..=minutes + 1).map(datum).collect();
        for some in data.chunks(500) {
            self.ok("PutMetricData", json!({"Namespace": "N", "MetricData": some})).await;
        }
    }

    async fn band(&self, queries: Json) -> Json {
        let span = json!({
            "StartTime": self.at(-5 * MINUTE), "EndTime": self.at(0), "ScanBy": "TimestampAscending",
            "MetricDataQueries": queries,
        });
        self.ok("GetMetricData", span).await["MetricDataResults"].clone()
    }

    async fn detectors(&self, input: Json) -> Json {
        self.ok("DescribeAnomalyDetectors", input).await["AnomalyDetectors"].clone()
    }
}

#[tokio::test]
async fn a_model_is_set_trained_described_and_deleted() {
    let bed = Bed::new();
    bed.ok("PutAnomalyDetector", detector()).await;
    let found = bed.detectors(json!({})).await;
    let single = with(&detector(), json!({}));
    let pending =
        with(&detector(), json!({"StateValue": "PENDING_TRAINING", "SingleMetricAnomalyDetector": single}));
    assert_eq!(found, json!([pending]));
    step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated");
    assert_eq!(bed.detectors(json!({})).await[0]["StateValue"], "TRAINED_INSUFFICIENT_DATA");
    bed.usual(60).await;
    step(&bed.state, Due::All, bed.start_ms + MINUTE).await.expect("evaluated");
    assert_eq!(bed.detectors(json!({})).await[0]["StateValue"], "TRAINED");
    // The same by other members, set anew, is the same model, which has to learn anew.
    let settings = json!({
        "SingleMetricAnomalyDetector": detector(), "MetricCharacteristics": {"PeriodicSpikes": true},
        "Configuration": {"MetricTimezone": "UTC", "ExcludedTimeRanges": [{"StartTime": 1.5, "EndTime": 2.5}]},
    });
    bed.ok("PutAnomalyDetector", settings.clone()).await;
    let found = bed.detectors(json!({})).await;
    assert_eq!(found.as_array().expect("a list").len(), 1);
    for member in ["MetricCharacteristics", "Configuration"] {
        assert_eq!(found[0][member], settings[member]);
    }
    assert_eq!(found[0]["StateValue"], "PENDING_TRAINING");
    bed.ok("DeleteAnomalyDetector", detector()).await;
    assert_eq!(bed.detectors(json!({})).await, json!([]));
    let refused = bed.refused("DeleteAnomalyDetector", detector()).await;
    assert_eq!((refused.status, refused.code.as_str()), (404, "ResourceNotFoundException"));
}

#[tokio::test]
async fn models_are_described_by_kind_metric_and_page() {
    let bed = Bed::new();
    for stat in ["Average", "Sum", "p90"] {
        bed.ok("PutAnomalyDetector", with(&metric(), json!({"Stat": stat}))).await;
    }
    let math = json!({"MetricDataQueries": [
        {"Id": "e1", "Expression": "m1 * 2", "ReturnData": true},
        {"Id": "m1", "MetricStat": {"Metric": metric(), "Period": 60, "Stat": "Sum"}, "ReturnData": false},
    ]});
    bed.ok("PutAnomalyDetector", json!({"MetricMathAnomalyDetector": math})).await;
    let count = async |input| bed.detectors(input).await.as_array().expect("a list").len();
    assert_eq!(count(json!({})).await, 3);
    assert_eq!(count(json!({"AnomalyDetectorTypes": ["METRIC_MATH"]})).await, 1);
    assert_eq!(
        count(json!({"AnomalyDetectorTypes": ["METRIC_MATH", "SINGLE_METRIC"], "MetricName": "m"})).await,
        4
    );
    assert_eq!(count(json!({"Namespace": "other"})).await, 0);
    assert_eq!(count(json!({"Dimensions": [{"Name": "d", "Value": "y"}]})).await, 0);
    let page = bed.ok("DescribeAnomalyDetectors", json!({"MaxResults": 2})).await;
    assert_eq!(page["AnomalyDetectors"].as_array().expect("a list").len(), 2);
    let rest = bed.ok("DescribeAnomalyDetectors", json!({"NextToken": page["NextToken"]})).await;
    assert_eq!(rest["AnomalyDetectors"].as_array().expect("a list").len(), 1);
    let found = bed.detectors(json!({"AnomalyDetectorTypes": ["METRIC_MATH"]})).await;
    assert_eq!(found[0]["MetricMathAnomalyDetector"], math);
}

#[tokio::test]
async fn what_makes_no_model_is_refused() {
    let bed = Bed::new();
    let (single, math) =
        (json!({"SingleMetricAnomalyDetector": detector()}), json!({"MetricDataQueries": queries("2")}));
    let both = "The parameters SingleMetricAnomalyDetector and MetricName are mutually exclusive and you have specified both.";
    assert_eq!(bed.refused("PutAnomalyDetector", with(&detector(), single)).await, combination(both));
    let refused = bed.refused("PutAnomalyDetector", json!({})).await;
    assert_eq!(refused, missing("The parameter SingleMetricAnomalyDetector is required."));
    let refused = bed.refused("PutAnomalyDetector", without(&detector(), "Stat")).await;
    assert_eq!(refused, missing("The parameter Stat is required."));
    let refused = bed.refused("PutAnomalyDetector", json!({"MetricMathAnomalyDetector": math})).await;
    assert_eq!(refused, invalid("Exactly one element of the metrics list should return data."));
    let ranges = |count: usize| {
        let ranges = vec![json!({"StartTime": 1.0, "EndTime": 2.0}); count];
        with(&detector(), json!({"Configuration": {"ExcludedTimeRanges": ranges}}))
    };
    bed.ok("PutAnomalyDetector", ranges(100)).await;
    let words = "The collection Configuration.ExcludedTimeRanges must not have a size greater than 100.";
    assert_eq!(bed.refused("PutAnomalyDetector", ranges(101)).await, value(words));
    let reversed = json!({"Configuration": {"ExcludedTimeRanges": [{"StartTime": 2.0, "EndTime": 2.0}]}});
    let words = "The parameter StartTime must be less than the parameter EndTime.";
    assert_eq!(bed.refused("PutAnomalyDetector", with(&detector(), reversed)).await, value(words));
    let open = json!({"MetricMathAnomalyDetector": {"MetricDataQueries": [
        {"Id": "e1", "Expression": "AVG(SEARCH('{N,d} m', 'Sum', 60))"},
    ]}});
    let what = "Anomaly detection on SEARCH or Metrics Insights";
    assert_eq!(bed.refused("PutAnomalyDetector", open).await, unsupported(what));
}

#[tokio::test]
async fn models_and_what_they_rest_on_are_bounded() {
    let bed = Bed::new();
    let math = |count: usize| {
        let sum = (0..count).map(|number| format!("m{number}")).collect::<Vec<_>>().join(" + ");
        let metric = |number: usize| {
            let stat = json!({"Metric": metric(), "Period": 60, "Stat": "Sum"});
            json!({"Id": format!("m{number}"), "MetricStat": stat, "ReturnData": false})
        };
        let mut queries = vec![json!({"Id": "e1", "Expression": sum})];
        queries.extend((0..count).map(metric));
        json!({"MetricMathAnomalyDetector": {"MetricDataQueries": queries}})
    };
    bed.ok("PutAnomalyDetector", math(19)).await;
    let refused = bed.refused("PutAnomalyDetector", math(20)).await;
    assert_eq!(refused, invalid("Anomaly detection is on at most 20 elements of the metrics list."));
    let found = bed.state.store.list::<pitbird_records::AnomalyDetector>("").expect("records");
    let one = found[0].record.clone();
    let fill = move |tx: &mut pitbird_store::Transaction<'_>| {
        for number in 0..999 {
            tx.put(&pitbird_records::AnomalyDetector { identity: number.to_string(), ..one.clone() })?;
        }
        Ok::<_, pitbird_store::Error>(())
    };
    bed.state.store.write(fill).await.expect("written");
    bed.ok("PutAnomalyDetector", math(19)).await;
    let refused = bed.refused("PutAnomalyDetector", detector()).await;
    assert_eq!(refused.code, "LimitExceededException", "{refused:?}");
    let alarm = band_alarm("a", "GreaterThanUpperThreshold");
    assert_eq!(bed.refused("PutMetricAlarm", alarm).await.message, refused.message);
    assert_eq!(bed.ok("DescribeAlarms", json!({})).await["MetricAlarms"], json!([]));
}

#[tokio::test]
async fn a_band_has_an_upper_and_a_lower_series() {
    let bed = Bed::new();
    bed.usual(120).await;
    let results = bed.band(queries("2")).await;
    assert_eq!(
        (column(&results, "Id"), &results[1]["Values"]),
        (vec!["m1".into(), "ad1".into(), "ad1".into()], &json!([]))
    );
    bed.ok("PutAnomalyDetector", detector()).await;
    let results = bed.band(queries("2")).await;
    assert_eq!(column(&results, "Label"), ["m", "ad1 High", "ad1 Low"]);
    for place in 0..5 {
        let bounds = [2, 1].map(|series: usize| results[series]["Values"][place].as_f64().expect("a number"));
        assert!(bounds[0] < 10.0 && bounds[0] > 0.0 && bounds[1] > 12.0 && bounds[1] < 30.0, "{bounds:?}");
    }
    assert_eq!(results[1]["Timestamps"].as_array().expect("times").len(), 5, "also where there is no value");
    let wide = bed.band(queries("8")).await;
    assert!(wide[1]["Values"][0].as_f64() > results[1]["Values"][0].as_f64());
    // Of a sum nothing was set.
    let mut other = queries("2");
    other[0]["MetricStat"]["Stat"] = json!("Sum");
    assert_eq!(bed.band(other).await[1]["Values"], json!([]));
}

#[tokio::test]
async fn a_band_must_be_of_a_query_and_have_a_width() {
    let bed = Bed::new();
    let span = |queries: Json| json!({"StartTime": 0, "EndTime": 1, "MetricDataQueries": queries});
    let said = |words: &str| invalid(format!("Error in expression 'ad1': {words}"));
    for width in ["0", "-1"] {
        let refused = bed.refused("GetMetricData", span(queries(width))).await;
        assert!(refused.message.contains("ANOMALY_DETECTION_BAND"), "{refused:?}");
    }
    let mut inline = queries("2");
    inline[1]["Expression"] = json!("ANOMALY_DETECTION_BAND(m1 * 2)");
    let words = "ANOMALY_DETECTION_BAND must be of another query, by its id";
    assert_eq!(bed.refused("GetMetricData", span(inline)).await, said(words));
    let mut nested = queries("2");
    nested.as_array_mut().expect("queries").extend([
        json!({"Id": "e1", "Expression": "FIRST(ad1)"}),
        json!({"Id": "ad2", "Expression": "ANOMALY_DETECTION_BAND(e1)"}),
    ]);
    let refused = bed.refused("GetMetricData", span(nested)).await;
    assert_eq!(refused, unsupported("ANOMALY_DETECTION_BAND of what has one itself"));
    let many = |count: usize| {
        let band =
            |number: usize| json!({"Id": format!("b{number}"), "Expression": "ANOMALY_DETECTION_BAND(m1)"});
        let mut all = vec![queries("2")[0].clone()];
        all.extend((0..count).map(band));
        span(Json::Array(all))
    };
    bed.ok("GetMetricData", many(100)).await;
    let refused = bed.refused("GetMetricData", many(101)).await;
    assert_eq!(refused, invalid("A request must not have more than 100 ANOMALY_DETECTION_BAND functions."));
}

#[tokio::test]
async fn an_alarm_on_a_band_makes_its_model_and_tells_both_sides() {
    let bed = Bed::new();
    bed.usual(120).await;
    for (name, comparison) in [
        ("both", "LessThanLowerOrGreaterThanUpperThreshold"),
        ("above", "GreaterThanUpperThreshold"),
        ("below", "LessThanLowerThreshold"),
    ] {
        bed.ok("PutMetricAlarm", band_alarm(name, comparison)).await;
    }
    let alarm = bed.described("both").await;
    assert_eq!((&alarm["ThresholdMetricId"], alarm.get("Threshold")), (&json!("ad1"), None));
    assert_eq!(bed.detectors(json!({})).await.as_array().expect("a list").len(), 1, "one for all three");
    bed.put(-MINUTE, 90.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 3);
    for (name, state) in [("both", "ALARM"), ("above", "ALARM"), ("below", "OK")] {
        assert_eq!(bed.state_of(name).await, state, "{name}");
    }
    assert_eq!(bed.detectors(json!({})).await[0]["StateValue"], "TRAINED");
    let reason = bed.described("both").await["StateReason"].as_str().expect("words").to_owned();
    assert!(reason.starts_with("Thresholds Crossed: 1 out of the last 1 datapoints [90.0 ("), "{reason}");
    assert!(reason.contains(")] was less than the lower thresholds ["), "{reason}");
    assert!(reason.contains("] or greater than the upper thresholds ["), "{reason}");
    let data = bed.described("above").await["StateReasonData"].as_str().expect("data").to_owned();
    let data: Json = serde_json::from_str(&data).expect("JSON");
    let upper = data["recentUpperThresholds"][0].as_f64().expect("a number");
    assert!((12.0..30.0).contains(&upper) && data.get("threshold").is_none(), "{data}");
    bed.put(0, 11.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms + MINUTE).await.expect("evaluated"), 2);
    assert_eq!(bed.state_of("both").await, "OK");
    // Without its model an alarm has nothing to judge by.
    bed.ok("DeleteAnomalyDetector", detector()).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms + MINUTE).await.expect("evaluated"), 3);
    assert_eq!(bed.state_of("both").await, "INSUFFICIENT_DATA");
}

#[tokio::test]
async fn an_alarm_on_the_band_of_metric_math_makes_a_model_of_that() {
    let bed = Bed::new();
    bed.usual(120).await;
    let mut input = band_alarm("a", "GreaterThanUpperThreshold");
    input["Metrics"] = json!([
        {"Id": "m1", "MetricStat": {"Metric": metric(), "Period": 60, "Stat": "Average"}, "ReturnData": false},
        {"Id": "e1", "Expression": "m1 * 10"},
        {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(e1, 3)"},
    ]);
    bed.ok("PutMetricAlarm", input).await;
    let found = bed.detectors(json!({"AnomalyDetectorTypes": ["METRIC_MATH"]})).await;
    let queries = &found[0]["MetricMathAnomalyDetector"]["MetricDataQueries"];
    assert_eq!(column(queries, "Id"), ["m1", "e1"]);
    bed.put(-MINUTE, 11.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 1);
    bed.put(0, 40.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms + MINUTE).await.expect("evaluated"), 1);
    assert_eq!(bed.state_of("a").await, "ALARM");
    assert_eq!(
        bed.detectors(json!({"AnomalyDetectorTypes": ["METRIC_MATH"]})).await[0]["StateValue"],
        "TRAINED"
    );
}

#[tokio::test]
async fn bands_and_numbers_aren_t_mixed() {
    let bed = Bed::new();
    let whole = band_alarm("a", "GreaterThanUpperThreshold");
    for (input, words) in [
        (with(&whole, json!({"Threshold": 1.0})), "Threshold and ThresholdMetricId are mutually exclusive."),
        (
            with(&whole, json!({"ComparisonOperator": "GreaterThanThreshold"})),
            "ComparisonOperator GreaterThanThreshold can't be used with ThresholdMetricId.",
        ),
        (
            with(&alarm_input("a"), json!({"ComparisonOperator": "LessThanLowerThreshold"})),
            "ThresholdMetricId must be specified with LessThanLowerThreshold.",
        ),
        (
            with(&whole, json!({"ThresholdMetricId": "m1"})),
            "ThresholdMetricId m1 must be the id of an ANOMALY_DETECTION_BAND expression.",
        ),
        (without(&alarm_input("a"), "Threshold"), "Threshold must be specified."),
        (without(&whole, "Metrics"), "Metrics must be specified with ThresholdMetricId."),
    ] {
        assert_eq!(bed.refused("PutMetricAlarm", input).await, invalid(words));
    }
    let mut one = whole.clone();
    one["Metrics"][0]["ReturnData"] = json!(false);
    let refused = bed.refused("PutMetricAlarm", one).await;
    assert!(refused.message.starts_with("Exactly two elements of the metrics list"), "{refused:?}");
    assert_eq!(bed.detectors(json!({})).await, json!([]), "what is refused makes no model");
}
