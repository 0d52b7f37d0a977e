use super::*;

#[tokio::test]
async fn a_stream_is_made_once_described_and_deleted() {
    let bed = Bed::new();
    let input = json!({"logGroupName": "g", "logStreamName": "s"});
    assert_eq!(bed.refused("CreateLogStream", input.clone()).await, no_group());
    bed.group("g").await;
    assert_eq!(bed.refused("DeleteLogStream", input.clone()).await, no_stream());
    bed.stream("g", "s").await;
    let again = bed.refused("CreateLogStream", input.clone()).await;
    assert_eq!(again, refusal("ResourceAlreadyExistsException", "The specified log stream already exists"));
    bed.put("g", "s", &[(-5, "a"), (0, "b")]).await;
    let described = bed.ok("DescribeLogStreams", json!({"logGroupName": "g"})).await;
    let stream = &described["logStreams"][0];
    assert_eq!(stream["arn"], "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s");
    assert_eq!(stream["firstEventTimestamp"], bed.start_ms - 5);
    assert_eq!(stream["lastEventTimestamp"], bed.start_ms);
    assert_eq!(stream["storedBytes"], 0);
    assert!(stream["lastIngestionTime"].as_i64() >= Some(bed.start_ms));
    bed.ok("DeleteLogStream", input.clone()).await;
    assert_eq!(bed.ok("DescribeLogStreams", json!({"logGroupName": "g"})).await, json!({"logStreams": []}));
    // The group is still there, empty.
    bed.stream("g", "s").await;
    let read = bed.ok("GetLogEvents", input).await;
    assert_eq!(read["events"], json!([]));
}

#[tokio::test]
async fn streams_are_ordered_and_come_in_pages() {
    let bed = Bed::new();
    bed.group("g").await;
    for (after, name) in [(3, "a"), (1, "b"), (2, "bc")] {
        bed.stream("g", name).await;
        bed.put("g", name, &[(after, "x")]).await;
    }
    let describe = async |more: Json| {
        let mut input = json!({"logGroupIdentifier": "arn:aws:logs:us-east-1:000000000000:log-group:g"});
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        bed.run("DescribeLogStreams", input).await
    };
    let names = async |more: Json| {
        column(&describe(more).await.expect("streams")["logStreams"], "logStreamName").join(" ")
    };
    assert_eq!(names(json!({})).await, "a b bc");
    assert_eq!(names(json!({"descending": true})).await, "bc b a");
    assert_eq!(names(json!({"logStreamNamePrefix": "b"})).await, "b bc");
    assert_eq!(names(json!({"orderBy": "LastEventTime"})).await, "b bc a");
    assert_eq!(names(json!({"orderBy": "LastEventTime", "descending": true})).await, "a bc b");
    let page = describe(json!({"limit": 2})).await.expect("a page");
    assert_eq!(names(json!({"limit": 2, "nextToken": page["nextToken"]})).await, "bc");
    let refused = describe(json!({"orderBy": "LastEventTime", "logStreamNamePrefix": "b"})).await;
    assert_eq!(refused.expect_err("both"), bad("Cannot order by LastEventTime with a logStreamNamePrefix."));
    let refused = describe(json!({"nextToken": "?"})).await;
    assert_eq!(refused.expect_err("no token"), bad("The specified nextToken is invalid."));
    let refused = describe(json!({"logGroupName": "g"})).await;
    assert_eq!(
        refused.expect_err("both"),
        bad("Exactly one of logGroupName and logGroupIdentifier must be specified.")
    );
    assert_eq!(bed.refused("DescribeLogStreams", json!({"logGroupName": "h"})).await, no_group());
}
