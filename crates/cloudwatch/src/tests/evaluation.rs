//! Alarms from the measurement to the state, with the test's own clock.

use super::*;
use crate::{Due, start_evaluator, step};

#[tokio::test]
async fn an_alarm_rises_falls_and_loses_sight() {
    let bed = Bed::new();
    bed.alarm("a", json!({"DatapointsToAlarm": 1})).await;
    let now = bed.start_ms;
    assert_eq!(step(&bed.state, Due::All, now).await.expect("evaluated"), 0, "it is what it was");
    bed.put(-MINUTE, 6.0).await;
    assert_eq!(step(&bed.state, Due::All, now + 250).await.expect("evaluated"), 1);
    let alarm = bed.described("a").await;
    assert_eq!(alarm["StateValue"], "ALARM");
    let reason = alarm["StateReason"].as_str().expect("words");
    assert!(reason.starts_with("Threshold Crossed: 1 out of the last 1 datapoints [6.0 ("), "{reason}");
    let ending = "was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).";
    assert!(reason.ends_with(ending), "{reason}");
    let data: Json = serde_json::from_str(alarm["StateReasonData"].as_str().expect("data")).expect("JSON");
    assert_eq!((&data["recentDatapoints"], &data["threshold"]), (&json!([6.0]), &json!(5.0)));
    assert_eq!(step(&bed.state, Due::All, now + 500).await.expect("evaluated"), 0, "told once");
    bed.put(0, 1.0).await;
    assert_eq!(step(&bed.state, Due::All, now + MINUTE).await.expect("evaluated"), 1);
    assert_eq!(bed.state_of("a").await, "OK");
    assert_eq!(step(&bed.state, Due::All, now + 10 * MINUTE).await.expect("evaluated"), 1);
    let alarm = bed.described("a").await;
    assert_eq!(alarm["StateValue"], "INSUFFICIENT_DATA");
    assert_eq!(alarm["StateReason"], "Insufficient Data: 1 datapoint was unknown.");
}

#[tokio::test]
async fn missing_data_are_treated_as_asked() {
    let bed = Bed::new();
    for treatment in ["missing", "ignore", "breaching", "notBreaching"] {
        bed.alarm(treatment, json!({"TreatMissingData": treatment, "EvaluationPeriods": 2})).await;
        bed.ok("SetAlarmState", json!({"AlarmName": treatment, "StateValue": "OK", "StateReason": ""})).await;
    }
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 2);
    for (alarm, state) in
        [("missing", "INSUFFICIENT_DATA"), ("ignore", "OK"), ("breaching", "ALARM"), ("notBreaching", "OK")]
    {
        assert_eq!(bed.state_of(alarm).await, state, "{alarm}");
    }
    assert_eq!(
        bed.described("breaching").await["StateReason"],
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]."
    );
}

#[tokio::test]
async fn a_state_set_by_hand_lasts_until_the_next_evaluation() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.put(-MINUTE, 1.0).await;
    bed.ok("SetAlarmState", json!({"AlarmName": "a", "StateValue": "ALARM", "StateReason": "drill"})).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 1);
    assert_eq!(bed.state_of("a").await, "OK");
}

#[tokio::test]
async fn short_periods_are_due_more_often() {
    let bed = Bed::new();
    bed.alarm("minute", json!({})).await;
    bed.alarm("seconds", json!({"Period": 10})).await;
    let datum = json!({
        "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}], "Timestamp": bed.at(-65_000), "Value": 9.0,
        "StorageResolution": 1,
    });
    bed.ok("PutMetricData", json!({"Namespace": "N", "MetricData": [datum]})).await;
    let now = bed.start_ms - 60_000;
    assert_eq!(step(&bed.state, Due::HighResolution, now).await.expect("evaluated"), 1);
    assert_eq!(
        (bed.state_of("seconds").await, bed.state_of("minute").await.as_str()),
        ("ALARM".into(), "INSUFFICIENT_DATA")
    );
    assert_eq!(step(&bed.state, Due::All, now).await.expect("evaluated"), 1);
    assert_eq!(bed.state_of("minute").await, "ALARM");
}

#[tokio::test]
async fn each_account_has_alarms_on_its_own_metrics() {
    let mut bed = Bed::new();
    bed.alarm("a", json!({})).await;
    let account = pitbird_names::Account::parse("111111111111").expect("an account");
    bed.caller = Caller::root(pitbird_names::Scope { account, ..Default::default() });
    bed.alarm("a", json!({})).await;
    bed.put(-MINUTE, 6.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 1);
    assert_eq!(bed.state_of("a").await, "ALARM");
    bed.caller = Caller::root(Default::default());
    assert_eq!(bed.state_of("a").await, "INSUFFICIENT_DATA");
}

#[tokio::test]
async fn many_alarms_are_evaluated_in_one_step() {
    let bed = Bed::new();
    bed.put(-MINUTE, 6.0).await;
    for number in 0..205 {
        bed.alarm(&format!("a{number:03}"), json!({})).await;
    }
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 205);
    let page = bed.ok("DescribeAlarms", json!({"StateValue": "ALARM", "AlarmNamePrefix": "a2"})).await;
    assert_eq!(page["MetricAlarms"].as_array().expect("alarms").len(), 5);
}

#[tokio::test]
async fn alarms_survive_a_restart() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.put(-MINUTE, 6.0).await;
    step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated");
    let before = bed.described("a").await;
    let bed = bed.reopened();
    assert_eq!(bed.described("a").await, before);
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 0);
    assert_eq!(step(&bed.state, Due::All, bed.start_ms + 10 * MINUTE).await.expect("evaluated"), 1);
}

#[tokio::test]
async fn the_evaluator_starts_at_once_and_stops() {
    let bed = Bed::new();
    bed.alarm("a", json!({"EvaluationPeriods": 2})).await;
    bed.put(-MINUTE, 6.0).await;
    bed.put(-2 * MINUTE, 6.0).await;
    let mut commits = bed.state.store.watch();
    commits.mark_unchanged();
    let evaluator = start_evaluator(bed.state.clone());
    let changed = tokio::time::timeout(std::time::Duration::from_secs(10), commits.changed()).await;
    changed.expect("within the time").expect("the store is open");
    assert_eq!(bed.state_of("a").await, "ALARM");
    evaluator.stop().await;
}

/// The store takes any record, also one that another version of the program wrote.
#[tokio::test]
async fn an_alarm_that_can_t_be_evaluated_holds_up_no_other() {
    let bed = Bed::new();
    for name in ["a", "b", "c"] {
        bed.alarm(name, json!({})).await;
    }
    bed.put(-MINUTE, 6.0).await;
    let spoil = |tx: &mut pitbird_store::Transaction<'_>| {
        for (name, statistic, period_s) in [("a", "Sum", 7), ("b", "Mean", 60)] {
            let key = pitbird_records::Alarm::key_of(&Default::default(), name);
            let mut alarm = tx.get::<pitbird_records::Alarm>(&key)?.expect("it was set").record;
            let pitbird_records::alarm::Watched::Metric(metric) = &mut alarm.rule.watched else {
                panic!("it is on a metric")
            };
            metric.statistic = statistic.to_owned();
            metric.period_s = period_s;
            tx.put(&alarm)?;
        }
        Ok::<_, pitbird_store::Error>(())
    };
    bed.state.store.write(spoil).await.expect("written");
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 1);
    assert_eq!(
        (bed.state_of("a").await.as_str(), bed.state_of("c").await.as_str()),
        ("INSUFFICIENT_DATA", "ALARM")
    );
}

#[tokio::test]
async fn extended_statistics_are_judged_as_they_are_read() {
    let bed = Bed::new();
    let values: Vec<u32> = (1..=20).collect();
    let datum = json!({
        "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}], "Timestamp": bed.at(-MINUTE), "Values": values,
    });
    bed.ok("PutMetricData", json!({"Namespace": "N", "MetricData": [datum]})).await;
    let statistics = ["tm90", "TM(10%:50%)", "TC(5:10)", "ts50", "WM(20%:80%)", "PR(:5)", "IQM", "p90"];
    let input = without(&alarm_input("a"), "Statistic");
    for name in statistics {
        let more = json!({"AlarmName": name, "ExtendedStatistic": name, "Threshold": 0.5});
        bed.ok("PutMetricAlarm", with(&input, more)).await;
        let alarm = bed.described(name).await;
        assert_eq!((&alarm["ExtendedStatistic"], alarm.get("Statistic")), (&json!(name), None));
    }
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), statistics.len());
    for name in statistics {
        let read = json!({
            "Namespace": "N", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}], "Period": 60,
            "StartTime": bed.at(-MINUTE), "EndTime": bed.at(0), "ExtendedStatistics": [name],
        });
        let read =
            bed.ok("GetMetricStatistics", read).await["Datapoints"][0]["ExtendedStatistics"][name].clone();
        let data = bed.described(name).await["StateReasonData"].as_str().expect("data").to_owned();
        let data: Json = serde_json::from_str(&data).expect("JSON");
        let judged = data["recentDatapoints"][0].as_f64().expect("a datapoint");
        assert!((judged - read.as_f64().expect("a datapoint")).abs() < 1e-9, "{name}: {judged} {read}");
        assert_eq!((&data["statistic"], bed.state_of(name).await.as_str()), (&json!(name), "ALARM"));
    }
}

#[tokio::test]
async fn low_samples_keep_a_percentiles_alarm_still_where_asked() {
    let bed = Bed::new();
    let input = without(&alarm_input("a"), "Statistic");
    for (name, low_samples) in [("still", "ignore"), ("eager", "evaluate")] {
        let more = json!({"AlarmName": name, "ExtendedStatistic": "p90", "EvaluateLowSampleCountPercentile": low_samples});
        bed.ok("PutMetricAlarm", with(&input, more)).await;
    }
    bed.put(-MINUTE, 6.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 1);
    assert_eq!(
        (bed.state_of("still").await.as_str(), bed.state_of("eager").await.as_str()),
        ("INSUFFICIENT_DATA", "ALARM")
    );
}

#[tokio::test]
async fn alarms_on_one_metric_are_judged_each_by_its_own_statistic() {
    let bed = Bed::new();
    bed.put(-MINUTE, 4.0).await;
    bed.put(-MINUTE, 2.0).await;
    for (name, more) in [
        ("sum", json!({"Statistic": "Sum"})),
        ("mean", json!({"Statistic": "Average"})),
        ("most", json!({"Statistic": "Maximum"})),
        ("count", json!({"Statistic": "SampleCount", "Threshold": 1.0})),
        ("unit", json!({"Statistic": "Sum", "Unit": "Bytes"})),
    ] {
        bed.alarm(name, more).await;
    }
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 4);
    for (name, state) in
        [("sum", "ALARM"), ("mean", "OK"), ("most", "OK"), ("count", "ALARM"), ("unit", "INSUFFICIENT_DATA")]
    {
        assert_eq!(bed.state_of(name).await, state, "{name}");
    }
}

#[tokio::test]
async fn what_is_judged_follows_the_records() {
    let bed = Bed::new();
    bed.alarm("kept", json!({})).await;
    bed.alarm("gone", json!({})).await;
    bed.put(-MINUTE, 6.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 2);
    bed.alarm("kept", json!({"Threshold": 9.0})).await;
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["gone"]})).await;
    bed.alarm("new", json!({})).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 2);
    assert_eq!((bed.state_of("kept").await.as_str(), bed.state_of("new").await.as_str()), ("OK", "ALARM"));
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 0);
}
