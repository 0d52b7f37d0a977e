//! What unmodified tools send, call by call.

use super::*;

/// The calls of Terraform's AWS provider for an alarm, as recorded: apply, plan, destroy.
#[tokio::test]
async fn terraforms_flow_passes() {
    let bed = Bed::new();
    let alarm = json!({
        "AlarmName": "canary-errors", "ActionsEnabled": true, "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1, "MetricName": "Errors", "Namespace": "AWS/Lambda", "Period": 60, "Statistic": "Sum",
        "Threshold": 0.0, "TreatMissingData": "missing", "AlarmActions": [], "OKActions": [],
        "InsufficientDataActions": [],
        "Dimensions": [
            {"Name": "FunctionName", "Value": "pets"}, {"Name": "Resource", "Value": "pets:live"},
            {"Name": "ExecutedVersion", "Value": "2"},
        ],
        "Tags": [{"Key": "team", "Value": "birds"}],
    });
    bed.ok("PutMetricAlarm", alarm.clone()).await;
    for _ in ["apply", "plan"] {
        let found = bed.ok("DescribeAlarms", json!({"AlarmNames": ["canary-errors"]})).await;
        let read = &found["MetricAlarms"][0];
        for (member, value) in without(&alarm, "Tags").as_object().expect("an object") {
            assert_eq!(read[member], *value, "{member}");
        }
        let tags = bed.ok("ListTagsForResource", json!({"ResourceARN": read["AlarmArn"]})).await;
        assert_eq!(tags["Tags"], alarm["Tags"]);
    }
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["canary-errors"]})).await;
}
