use super::*;

#[tokio::test]
async fn a_group_is_made_once_described_and_deleted() {
    let bed = Bed::new();
    bed.group("/app/x").await;
    let again = bed.refused("CreateLogGroup", json!({"logGroupName": "/app/x"})).await;
    assert_eq!(again, refusal("ResourceAlreadyExistsException", "The specified log group already exists"));
    let described = bed.ok("DescribeLogGroups", json!({})).await;
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:/app/x";
    let group = json!({
        "logGroupName": "/app/x", "creationTime": bed.start_ms, "metricFilterCount": 0, "arn": format!("{arn}:*"),
        "storedBytes": 0, "logGroupClass": "STANDARD", "logGroupArn": arn, "deletionProtectionEnabled": false,
    });
    assert_eq!(described, json!({"logGroups": [group]}));
    bed.ok("DeleteLogGroup", json!({"logGroupName": "/app/x"})).await;
    assert_eq!(bed.ok("DescribeLogGroups", json!({})).await, json!({"logGroups": []}));
    assert_eq!(bed.refused("DeleteLogGroup", json!({"logGroupName": "/app/x"})).await, no_group());
}

#[tokio::test]
async fn groups_that_the_data_plane_made_are_like_all_others() {
    let bed = Bed::new();
    let (function, canary) = ("/aws/lambda/f", "API-Gateway-Execution-Logs_abc/prod/Canary");
    let (one, two) = (bed.written_to(function, "2025/11/23/[1]aa"), bed.written_to(canary, "bb"));
    one.line(bed.start_ms, "hello");
    two.line(bed.start_ms, "canary");
    let described = bed.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(column(&described["logGroups"], "logGroupName"), [function, canary]);
    assert!(described["logGroups"][0]["storedBytes"].as_u64().expect("bytes") > 0);
    let again = bed.refused("CreateLogGroup", json!({"logGroupName": function})).await;
    assert_eq!(again.code, "ResourceAlreadyExistsException");
    // A setting makes a record of it, which keeps what is known.
    bed.ok("PutRetentionPolicy", json!({"logGroupName": function, "retentionInDays": 14})).await;
    let input = json!({"logGroupNamePrefix": "/aws/"});
    let kept = &bed.ok("DescribeLogGroups", input).await["logGroups"][0];
    assert_eq!(kept["retentionInDays"], 14);
    for member in ["creationTime", "storedBytes", "arn"] {
        assert_eq!(kept[member], described["logGroups"][0][member]);
    }
    bed.ok("DeleteLogGroup", json!({"logGroupName": function})).await;
    assert_eq!(
        bed.refused("GetLogEvents", json!({"logGroupName": function, "logStreamName": "x"})).await,
        no_group()
    );
    // What is written afterwards makes the group anew, with nothing set.
    one.line(bed.start_ms, "again");
    let anew = &bed.ok("DescribeLogGroups", json!({"logGroupNamePrefix": "/aws/"})).await["logGroups"][0];
    assert_eq!((&anew["logGroupName"], anew.get("retentionInDays")), (&json!(function), None));
}

#[tokio::test]
async fn groups_are_chosen_by_prefix_pattern_or_name() {
    let bed = Bed::new();
    for name in ["a/Foo", "Foo", "FooBar", "foo"] {
        bed.group(name).await;
    }
    let choose = async |input: Json| {
        let groups = bed.ok("DescribeLogGroups", input).await;
        column(&groups["logGroups"], "logGroupName").join(" ")
    };
    assert_eq!(choose(json!({"logGroupNamePrefix": "Foo"})).await, "Foo FooBar");
    assert_eq!(choose(json!({"logGroupNamePattern": "Foo"})).await, "Foo FooBar a/Foo");
    assert_eq!(choose(json!({"logGroupIdentifiers": ["foo", "gone"]})).await, "foo");
    assert_eq!(choose(json!({"logGroupClass": "STANDARD", "logGroupNamePrefix": "a"})).await, "a/Foo");
    assert_eq!(choose(json!({"logGroupClass": "DELIVERY"})).await, "");
    let brief = bed.ok("DescribeLogGroups", json!({"logGroupNamePattern": "Bar"})).await;
    let members: Vec<&String> = brief["logGroups"][0].as_object().expect("a group").keys().collect();
    assert_eq!(members, ["logGroupName", "creationTime", "arn"]);
    let both = json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "b"});
    let words = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
    assert_eq!(bed.refused("DescribeLogGroups", both).await, bad(words));
    for other in ["logGroupNamePrefix", "logGroupNamePattern"] {
        let both = json!({"logGroupIdentifiers": ["a"], other: "b"});
        let words = format!("logGroupIdentifiers can't be combined with {other}.");
        assert_eq!(bed.refused("DescribeLogGroups", both).await, bad(words));
    }
}

#[tokio::test]
async fn groups_come_in_pages() {
    let bed = Bed::new();
    for number in 0..53 {
        bed.group(&format!("g{number:02}")).await;
    }
    let first = bed.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(first["logGroups"].as_array().expect("groups").len(), 50);
    let rest = bed.ok("DescribeLogGroups", json!({"nextToken": first["nextToken"]})).await;
    assert_eq!(column(&rest["logGroups"], "logGroupName"), ["g50", "g51", "g52"]);
    assert_eq!(rest.get("nextToken"), None);
    let refused = bed.refused("DescribeLogGroups", json!({"nextToken": "!"})).await;
    assert_eq!(refused, bad("The specified nextToken is invalid."));
}

#[tokio::test]
async fn retention_is_one_of_awss_and_is_obeyed() {
    let bed = Bed::new();
    bed.group("g").await;
    bed.stream("g", "s").await;
    let none = bed.refused("PutRetentionPolicy", json!({"logGroupName": "h", "retentionInDays": 1})).await;
    assert_eq!(none, no_group());
    for days in [0, 2, -1, 4000] {
        let refused =
            bed.refused("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": days})).await;
        assert_eq!(refused.code, "InvalidParameterException", "{days}");
    }
    bed.put("g", "s", &[(-9 * DAY, "nine days ago")]).await;
    bed.put("g", "s", &[(0, "now")]).await;
    bed.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 5})).await;
    crate::sweep(&bed.state, bed.start_ms).await.expect("swept");
    let input = json!({"logGroupName": "g", "logStreamName": "s", "startFromHead": true});
    assert_eq!(column(&bed.ok("GetLogEvents", input.clone()).await["events"], "message"), ["now"]);
    // What is expired is no longer taken; without a policy it is.
    let rejected = bed.put("g", "s", &[(-9 * DAY, "late")]).await;
    assert_eq!(rejected["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 1}));
    bed.ok("DeleteRetentionPolicy", json!({"logGroupName": "g"})).await;
    bed.put("g", "s", &[(-9 * DAY, "late")]).await;
    crate::sweep(&bed.state, bed.start_ms).await.expect("swept");
    assert_eq!(column(&bed.ok("GetLogEvents", input).await["events"], "message"), ["late", "now"]);
}

#[tokio::test]
async fn a_protected_group_stays() {
    let bed = Bed::new();
    bed.ok("CreateLogGroup", json!({"logGroupName": "g", "deletionProtectionEnabled": true})).await;
    bed.stream("g", "s").await;
    let words = "The log group g is protected against deletion.";
    let delete = json!({"logGroupName": "g"});
    assert_eq!(bed.refused("DeleteLogGroup", delete.clone()).await, refusal("ValidationException", words));
    let stream = json!({"logGroupName": "g", "logStreamName": "s"});
    assert_eq!(bed.refused("DeleteLogStream", stream).await, refusal("ValidationException", words));
    let lift = json!({"logGroupIdentifier": "g", "deletionProtectionEnabled": false});
    bed.ok("PutLogGroupDeletionProtection", lift).await;
    bed.ok("DeleteLogGroup", delete).await;
}

#[tokio::test]
async fn accounts_and_regions_don_t_see_each_others_groups() {
    let mut bed = Bed::new();
    bed.group("g").await;
    bed.caller = Caller::root(Scope {
        region: pitbird_names::Region::parse("eu-west-1").expect("a region"),
        ..Scope::default()
    });
    assert_eq!(bed.ok("DescribeLogGroups", json!({})).await, json!({"logGroups": []}));
    bed.group("g").await;
}

#[tokio::test]
async fn a_sweeper_stops_when_it_is_told() {
    let bed = Bed::new();
    bed.group("g").await;
    let sweeper = crate::start_sweeper(bed.state.clone());
    sweeper.stop().await;
}

#[tokio::test]
async fn a_group_outlives_its_last_stream() {
    let bed = Bed::new();
    bed.written_to("g", "s").line(bed.start_ms, "hello");
    bed.ok("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await;
    assert_eq!(column(&bed.ok("DescribeLogGroups", json!({})).await["logGroups"], "logGroupName"), ["g"]);
    assert_eq!(bed.ok("FilterLogEvents", json!({"logGroupName": "g"})).await["events"], json!([]));
    bed.stream("g", "t").await;
}
