//! Alarms on metric math.

use super::*;
use crate::{Due, step};

/// Faults of a hundred requests.
fn rate_alarm(name: &str) -> Json {
    let stat = |metric: &str| {
        json!({
            "Metric": {"Namespace": "N", "MetricName": metric, "Dimensions": [{"Name": "d", "Value": "x"}]},
            "Period": 60, "Stat": "Sum",
        })
    };
    json!({
        "AlarmName": name, "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "Metrics": [
            {"Id": "rate", "Expression": "100 * faults / requests", "Label": "Faults", "ReturnData": true},
            {"Id": "faults", "MetricStat": stat("Faults"), "ReturnData": false},
            {"Id": "requests", "MetricStat": stat("Requests"), "ReturnData": false},
        ],
    })
}

impl Bed {
    async fn counted(&self, after_ms: i64, faults: f64, requests: f64) {
        let datum = |name: &str, value: f64| {
            json!({
                "MetricName": name, "Dimensions": [{"Name": "d", "Value": "x"}], "Timestamp": self.at(after_ms), "Value": value,
            })
        };
        let data = json!([datum("Faults", faults), datum("Requests", requests)]);
        self.ok("PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
    }
}

#[tokio::test]
async fn a_rate_is_watched() {
    let bed = Bed::new();
    bed.ok("PutMetricAlarm", rate_alarm("a")).await;
    let described = bed.described("a").await;
    assert_eq!(described["Metrics"], rate_alarm("a")["Metrics"]);
    for member in ["MetricName", "Namespace", "Statistic", "Period"] {
        assert_eq!(described.get(member), None, "{member}");
    }
    bed.counted(-MINUTE, 5.0, 100.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 1);
    let alarm = bed.described("a").await;
    assert_eq!(alarm["StateValue"], "ALARM");
    let reason = alarm["StateReason"].as_str().expect("words");
    assert!(reason.starts_with("Threshold Crossed: 1 out of the last 1 datapoints [5.0 ("), "{reason}");
    let data: Json = serde_json::from_str(alarm["StateReasonData"].as_str().expect("data")).expect("JSON");
    assert_eq!((&data["period"], &data["recentDatapoints"]), (&json!(60), &json!([5.0])));
    assert_eq!((data.get("statistic"), data["evaluatedDatapoints"][0].get("sampleCount")), (None, None));
    bed.counted(0, 1.0, 100.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms + MINUTE).await.expect("evaluated"), 1);
    assert_eq!(bed.state_of("a").await, "OK");
    let metric =
        json!({"Namespace": "N", "MetricName": "Faults", "Dimensions": [{"Name": "d", "Value": "x"}]});
    assert_eq!(bed.ok("DescribeAlarmsForMetric", metric).await["MetricAlarms"], json!([]));
}

#[tokio::test]
async fn math_and_metrics_are_judged_beside_each_other() {
    let bed = Bed::new();
    bed.ok("PutMetricAlarm", rate_alarm("b")).await;
    bed.alarm("a", json!({})).await;
    bed.alarm("c", json!({})).await;
    bed.put(-MINUTE, 6.0).await;
    bed.counted(-MINUTE, 5.0, 100.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 3);
    for name in ["a", "b", "c"] {
        assert_eq!(bed.state_of(name).await, "ALARM", "{name}");
    }
    let bed = bed.reopened();
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 0);
}

#[tokio::test]
async fn math_that_makes_no_sense_is_refused() {
    let bed = Bed::new();
    let whole = rate_alarm("a");
    let mut both = whole.clone();
    both["Metrics"][1]["ReturnData"] = json!(true);
    let words = "Exactly one element of the metrics list should return data.";
    assert_eq!(bed.refused("PutMetricAlarm", both).await, invalid(words));
    let refused = bed.refused("PutMetricAlarm", with(&whole, json!({"MetricName": "m"}))).await;
    assert_eq!(refused, invalid("Metrics and MetricName are mutually exclusive."));
    let mut broken = whole.clone();
    broken["Metrics"][0]["Expression"] = json!("100 * (faults");
    assert!(bed.refused("PutMetricAlarm", broken).await.message.contains("Invalid syntax"));
    let mut unknown = whole.clone();
    unknown["Metrics"][0]["Expression"] = json!("faults / others");
    assert!(bed.refused("PutMetricAlarm", unknown).await.message.contains("others"));
    let long = with(&whole, json!({"EvaluationPeriods": 1441}));
    assert!(bed.refused("PutMetricAlarm", long).await.message.contains("more than a day"));
    assert_eq!(bed.ok("DescribeAlarms", json!({})).await["MetricAlarms"], json!([]));
}

#[tokio::test]
async fn alarms_on_several_series_are_refused() {
    let bed = Bed::new();
    let insights = "SELECT SUM(Faults) FROM SCHEMA(\"N\", d)";
    for (expression, is_single) in [
        (insights.to_owned(), true),
        (format!("{insights} GROUP BY d"), false),
        ("SEARCH('{N,d} Faults', 'Sum', 60)".to_owned(), false),
        ("SUM(SEARCH('{N,d} Faults', 'Sum', 60))".to_owned(), true),
    ] {
        let mut input = rate_alarm("a");
        input["Metrics"] = json!([{"Id": "q", "Expression": expression, "Period": 60}]);
        if is_single {
            bed.ok("PutMetricAlarm", input).await;
        } else {
            let refused = bed.refused("PutMetricAlarm", input).await;
            assert_eq!(refused, unsupported("An alarm on more than one time series"), "{expression}");
        }
    }
}

#[tokio::test]
async fn actions_are_told_of_the_math() {
    let bed = Bed::new();
    let action = json!({"AlarmActions": ["http://127.0.0.1:9/x"]});
    bed.ok("PutMetricAlarm", with(&rate_alarm("a"), action)).await;
    bed.ok("SetAlarmState", json!({"AlarmName": "a", "StateValue": "ALARM", "StateReason": "drill"})).await;
    let deeds = bed.state.store.list::<pitbird_records::AlarmDeed>("").expect("deeds");
    let event: Json = serde_json::from_str(&deeds[0].record.event).expect("JSON");
    let metrics = &event["alarmData"]["configuration"]["metrics"];
    assert_eq!(
        metrics[0],
        json!({"id": "rate", "expression": "100 * faults / requests", "label": "Faults", "returnData": true})
    );
    assert_eq!(metrics[1]["metricStat"]["metric"]["name"], "Faults");
}
