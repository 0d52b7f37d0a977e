//! What unmodified tools send, call by call.

use super::*;

/// The calls of Terraform's AWS provider for a log group with a retention, as recorded: apply, plan, destroy.
#[tokio::test]
async fn terraforms_flow_passes() {
    let bed = Bed::new();
    let name = "/aws/lambda/pets";
    let create = json!({"logGroupName": name, "logGroupClass": "STANDARD", "tags": {"team": "birds"}});
    bed.ok("CreateLogGroup", create).await;
    bed.ok("PutRetentionPolicy", json!({"logGroupName": name, "retentionInDays": 7})).await;
    for _ in ["apply", "plan"] {
        let found = bed.ok("DescribeLogGroups", json!({"logGroupNamePrefix": name})).await;
        let group = &found["logGroups"][0];
        assert_eq!((&group["logGroupName"], &group["retentionInDays"]), (&json!(name), &json!(7)));
        let arn = group["arn"].as_str().expect("an ARN").trim_end_matches(":*");
        let tags = bed.ok("ListTagsForResource", json!({"resourceArn": arn})).await;
        assert_eq!(tags, json!({"tags": {"team": "birds"}}));
    }
    bed.ok("DeleteLogGroup", json!({"logGroupName": name})).await;
}

/// A tail asks again and again from the last event's time on and leaves out the ids that it has seen.
#[tokio::test]
async fn a_tail_sees_each_line_once() {
    let bed = Bed::new();
    let stream = bed.written_to("/aws/lambda/f", "2025/11/23/[$LATEST]aa");
    let (mut since, mut known, mut seen) = (bed.start_ms - HOUR, Vec::new(), Vec::new());
    for round in 0..4 {
        stream.line(bed.start_ms + round / 2, &round.to_string());
        let input = json!({"logGroupName": "/aws/lambda/f", "startTime": since, "interleaved": true});
        let page = bed.ok("FilterLogEvents", input).await;
        for event in page["events"].as_array().expect("events") {
            let id = event["eventId"].as_str().expect("an id").to_owned();
            if !known.contains(&id) {
                known.push(id);
                seen.push(event["message"].as_str().expect("a text").to_owned());
            }
            since = event["timestamp"].as_i64().expect("a time");
        }
    }
    assert_eq!(seen, ["0", "1", "2", "3"]);
}
