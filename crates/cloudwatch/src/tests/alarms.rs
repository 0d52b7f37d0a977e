use super::*;

#[tokio::test]
async fn a_new_alarm_has_these_members_and_no_others() {
    let bed = Bed::new();
    bed.alarm("a", json!({"AlarmDescription": "Too many."})).await;
    let at = bed.at(0);
    let found = bed.ok("DescribeAlarms", json!({})).await;
    let alarm = json!({
        "AlarmName": "a", "AlarmArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a",
        "AlarmDescription": "Too many.", "AlarmConfigurationUpdatedTimestamp": at, "ActionsEnabled": true,
        "OKActions": [], "AlarmActions": [], "InsufficientDataActions": [], "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation", "StateUpdatedTimestamp": at,
        "StateTransitionedTimestamp": at, "MetricName": "m", "Namespace": "N", "Statistic": "Sum",
        "Dimensions": [{"Name": "d", "Value": "x"}], "Period": 60, "EvaluationPeriods": 1, "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    // Times are told in milliseconds or whole seconds: 1.0 and 1 are the same.
    assert_eq!(numbers(&found["MetricAlarms"][0]), numbers(&alarm));
    assert_eq!(found["CompositeAlarms"], json!([]));
}

/// With all numbers as floats.
fn numbers(json: &Json) -> Json {
    match json {
        Json::Number(number) => json!(number.as_f64()),
        Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), numbers(value))).collect(),
        Json::Array(items) => items.iter().map(numbers).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn setting_an_alarm_anew_keeps_its_state_and_tags() {
    let bed = Bed::new();
    bed.alarm("a", json!({"Tags": [{"Key": "k", "Value": "v"}]})).await;
    bed.ok("SetAlarmState", json!({"AlarmName": "a", "StateValue": "ALARM", "StateReason": "drill"})).await;
    let more = json!({
        "Threshold": 7.5, "DatapointsToAlarm": 2, "EvaluationPeriods": 3, "TreatMissingData": "ignore", "Unit": "Count",
        "ActionsEnabled": false, "Tags": [{"Key": "other", "Value": ""}],
    });
    bed.alarm("a", more).await;
    let alarm = bed.described("a").await;
    for (member, expected) in [
        ("StateValue", json!("ALARM")),
        ("StateReason", json!("drill")),
        ("Threshold", json!(7.5)),
        ("DatapointsToAlarm", json!(2)),
        ("TreatMissingData", json!("ignore")),
        ("Unit", json!("Count")),
        ("ActionsEnabled", json!(false)),
    ] {
        assert_eq!(alarm[member], expected, "{member}");
    }
    let tags = bed.ok("ListTagsForResource", json!({"ResourceARN": alarm["AlarmArn"]})).await;
    assert_eq!(tags, json!({"Tags": [{"Key": "k", "Value": "v"}]}));
}

#[tokio::test]
async fn a_percentile_is_an_extended_statistic() {
    let bed = Bed::new();
    let input = without(&alarm_input("a"), "Statistic");
    let more = json!({"ExtendedStatistic": "p99.9", "EvaluateLowSampleCountPercentile": "ignore"});
    bed.ok("PutMetricAlarm", with(&input, more)).await;
    let alarm = bed.described("a").await;
    assert_eq!((&alarm["ExtendedStatistic"], alarm.get("Statistic")), (&json!("p99.9"), None));
    assert_eq!(alarm["EvaluateLowSampleCountPercentile"], "ignore");
}

#[tokio::test]
async fn an_alarm_that_makes_no_sense_is_refused() {
    let bed = Bed::new();
    let whole = alarm_input("a");
    for (more, words) in [
        (json!({"Period": 45}), "Period must be 10, 20, 30 or a multiple of 60, and at most 86400."),
        (json!({"Period": 86_460}), "Period must be 10, 20, 30 or a multiple of 60, and at most 86400."),
        (
            json!({"Period": 300, "EvaluationPeriods": 289}),
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
        ),
        (
            json!({"Period": 3600, "EvaluationPeriods": 169}),
            "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800).",
        ),
        (
            json!({"EvaluationPeriods": 2, "DatapointsToAlarm": 3}),
            "DatapointsToAlarm must be at least 1 and not greater than EvaluationPeriods.",
        ),
        (
            json!({"TreatMissingData": "never"}),
            "The value never is not supported for TreatMissingData parameter. Supported values are [breaching, \
             notBreaching, ignore, missing].",
        ),
        (
            json!({"EvaluateLowSampleCountPercentile": "never"}),
            "Option never is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are \
             evaluate and ignore.",
        ),
        (json!({"ExtendedStatistic": "p99"}), "Statistic and ExtendedStatistic are mutually exclusive."),
        (json!({"AlarmName": "a\u{7}"}), "AlarmName must not contain control characters."),
        (json!({"AlarmActions": ["page me"]}), "Invalid arn syntax: page me"),
        (
            json!({"Dimensions": [{"Name": "d", "Value": "x"}, {"Name": "d", "Value": "y"}]}),
            "Dimensions names a dimension more than once.",
        ),
        (json!({"Tags": [{"Key": "aws:x", "Value": ""}]}), "The value aws:x for parameter Tags is invalid."),
    ] {
        assert_eq!(bed.refused("PutMetricAlarm", with(&whole, more)).await, invalid(words));
    }
    for member in
        ["Namespace", "MetricName", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator"]
    {
        let words = format!("{member} must be specified.");
        assert_eq!(bed.refused("PutMetricAlarm", without(&whole, member)).await, invalid(words));
    }
    let bare = without(&whole, "Statistic");
    let words = "Either Statistic or ExtendedStatistic must be specified.";
    assert_eq!(bed.refused("PutMetricAlarm", bare.clone()).await, invalid(words));
    let refused = bed.refused("PutMetricAlarm", with(&bare, json!({"ExtendedStatistic": "p101"}))).await;
    assert_eq!(refused, invalid("The value p101 for parameter ExtendedStatistic is invalid."));
    assert_eq!(bed.ok("DescribeAlarms", json!({})).await["MetricAlarms"], json!([]), "nothing was stored");
    for (period, periods) in [(10, 8640), (60, 1440), (3600, 168), (86_400, 7)] {
        bed.alarm("a", json!({"Period": period, "EvaluationPeriods": periods})).await;
    }
}

#[tokio::test]
async fn alarms_are_chosen_and_come_in_pages() {
    let bed = Bed::new();
    for name in ["b/1", "a", "b:2", "c"] {
        bed.alarm(name, json!({})).await;
    }
    bed.ok("SetAlarmState", json!({"AlarmName": "b:2", "StateValue": "OK", "StateReason": ""})).await;
    let choose = async |input: Json| {
        let found = bed.ok("DescribeAlarms", input).await;
        column(&found["MetricAlarms"], "AlarmName").join(" ")
    };
    assert_eq!(choose(json!({})).await, "a b/1 b:2 c");
    assert_eq!(choose(json!({"AlarmNames": ["c", "gone", "a"]})).await, "a c");
    assert_eq!(choose(json!({"AlarmNamePrefix": "b"})).await, "b/1 b:2");
    assert_eq!(choose(json!({"StateValue": "OK"})).await, "b:2");
    assert_eq!(choose(json!({"AlarmTypes": ["CompositeAlarm"]})).await, "");
    assert_eq!(
        choose(json!({"AlarmTypes": ["CompositeAlarm", "MetricAlarm"], "AlarmNamePrefix": "a"})).await,
        "a"
    );
    assert_eq!(choose(json!({"ActionPrefix": "arn:"})).await, "");
    let first = bed.ok("DescribeAlarms", json!({"MaxRecords": 3})).await;
    assert_eq!(column(&first["MetricAlarms"], "AlarmName"), ["a", "b/1", "b:2"]);
    assert_eq!(choose(json!({"MaxRecords": 3, "NextToken": first["NextToken"]})).await, "c");
    let refused = bed.refused("DescribeAlarms", json!({"NextToken": "!"})).await;
    assert_eq!(refused, refusal(400, "InvalidNextToken", "The specified nextToken is invalid."));
    let both = json!({"AlarmNames": ["a"], "AlarmNamePrefix": "a"});
    assert_eq!(
        bed.refused("DescribeAlarms", both).await,
        invalid("AlarmNames and AlarmNamePrefix are mutually exclusive.")
    );
}

#[tokio::test]
async fn alarms_of_a_metric_have_exactly_its_dimensions() {
    let bed = Bed::new();
    let two = json!([{"Name": "e", "Value": "y"}, {"Name": "d", "Value": "x"}]);
    bed.alarm("one", json!({})).await;
    bed.alarm("two", json!({"Dimensions": two, "Statistic": "Maximum", "Period": 300, "Unit": "Count"}))
        .await;
    bed.alarm("none", json!({"Dimensions": []})).await;
    let choose = async |more: Json| {
        let input = with(&json!({"Namespace": "N", "MetricName": "m"}), more);
        column(&bed.ok("DescribeAlarmsForMetric", input).await["MetricAlarms"], "AlarmName").join(" ")
    };
    assert_eq!(choose(json!({})).await, "none");
    assert_eq!(choose(json!({"Dimensions": [{"Name": "d", "Value": "x"}]})).await, "one");
    let reversed = json!([{"Name": "d", "Value": "x"}, {"Name": "e", "Value": "y"}]);
    assert_eq!(choose(json!({"Dimensions": reversed})).await, "two");
    let more = json!({"Dimensions": reversed, "Statistic": "Maximum", "Period": 300, "Unit": "Count"});
    assert_eq!(choose(more.clone()).await, "two");
    for other in [
        json!({"Statistic": "Sum"}),
        json!({"Period": 60}),
        json!({"Unit": "Bytes"}),
        json!({"MetricName": "n"}),
    ] {
        assert_eq!(choose(with(&more, other)).await, "");
    }
}

#[tokio::test]
async fn alarms_are_deleted_together_or_not_at_all() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.alarm("b", json!({})).await;
    let refused = bed.refused("DeleteAlarms", json!({"AlarmNames": ["a", "gone"]})).await;
    assert_eq!(refused, refusal(404, "ResourceNotFound", "The alarms gone do not exist."));
    assert_eq!(bed.state_of("a").await, "INSUFFICIENT_DATA");
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["a", "b", "a"]})).await;
    assert_eq!(bed.ok("DescribeAlarms", json!({})).await["MetricAlarms"], json!([]));
}

#[tokio::test]
async fn a_state_can_be_set_by_hand() {
    let bed = Bed::new();
    let set = json!({
        "AlarmName": "a", "StateValue": "ALARM", "StateReason": "drill", "StateReasonData": "{\"by\":\"hand\"}",
    });
    assert_eq!(bed.refused("SetAlarmState", set.clone()).await, refusal(404, "ResourceNotFound", ""));
    bed.alarm("a", json!({})).await;
    bed.ok("SetAlarmState", set.clone()).await;
    let alarm = bed.described("a").await;
    assert_eq!((&alarm["StateValue"], &alarm["StateReason"]), (&json!("ALARM"), &json!("drill")));
    assert_eq!(alarm["StateReasonData"], "{\"by\":\"hand\"}");
    assert!(
        alarm["StateTransitionedTimestamp"].as_f64() > alarm["AlarmConfigurationUpdatedTimestamp"].as_f64()
    );
    let refused = bed.refused("SetAlarmState", with(&set, json!({"StateReasonData": "{"}))).await;
    assert_eq!(refused, refusal(400, "InvalidFormat", "StateReasonData was not valid JSON"));
}

#[tokio::test]
async fn actions_are_switched_off_and_on() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    for (operation, enabled) in [("DisableAlarmActions", false), ("EnableAlarmActions", true)] {
        bed.ok(operation, json!({"AlarmNames": ["a", "gone"]})).await;
        assert_eq!(bed.described("a").await["ActionsEnabled"], enabled);
    }
}

#[tokio::test]
async fn other_parts_of_the_process_see_how_alarms_stand() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.alarm("b", json!({})).await;
    bed.ok("SetAlarmState", json!({"AlarmName": "b", "StateValue": "ALARM", "StateReason": "drill"})).await;
    let standings = bed.state.alarm_states(&bed.caller.scope, ["b", "gone", "a"]).expect("states");
    let states: Vec<(&str, &str, &str)> = standings
        .iter()
        .map(|standing| (standing.name.as_str(), standing.state.as_str(), standing.reason.as_str()))
        .collect();
    let unchecked = "Unchecked: Initial alarm creation";
    assert_eq!(states, [("b", "ALARM", "drill"), ("a", "INSUFFICIENT_DATA", unchecked)]);
    assert!(standings[0].since_ms >= bed.start_ms);
}

#[tokio::test]
async fn an_account_has_ten_thousand_alarms_of_both_kinds() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.ok("PutCompositeAlarm", json!({"AlarmName": "c", "AlarmRule": "ALARM(a)"})).await;
    let found = bed.state.store.list::<pitbird_records::Alarm>("").expect("records");
    let one = found[0].record.clone();
    let fill = move |tx: &mut pitbird_store::Transaction<'_>| {
        for number in 0..9_997 {
            let mut alarm = one.clone();
            alarm.head.name = format!("n{number}");
            tx.put(&alarm)?;
        }
        Ok::<_, pitbird_store::Error>(())
    };
    bed.state.store.write(fill).await.expect("written");
    let bed = bed.reopened();
    bed.alarm("last", json!({})).await;
    let refused = bed.refused("PutMetricAlarm", alarm_input("more")).await;
    assert_eq!(
        refused,
        refusal(400, "LimitExceeded", "The maximum number of alarms, 10000, has been reached.")
    );
    bed.alarm("last", json!({"Threshold": 6.0})).await;
}
