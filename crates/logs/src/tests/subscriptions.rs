//! Subscription filters: from events to functions' queues.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use pitbird_records::function_policy::Statement;
use pitbird_records::{FunctionPolicy, FunctionVersion};
use pitbird_store::Transaction;

use super::*;
use crate::follow::Following;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

fn function(group: &str) -> FunctionVersion {
    serde_json::from_value(json!({
        "scope": Scope::default(), "name": "f", "version": "$LATEST",
        "settings": {"runtime": "provided.al2023", "handler": "h", "role": "arn:aws:iam::000000000000:role/r",
            "description": "", "memory_mib": 128, "timeout_s": 3, "tmp_mib": 512, "environment": null,
            "architecture": "x86_64", "tracing_mode": "PassThrough",
            "logging": {"group": group, "format": "Text", "application_level": null, "system_level": null}},
        "code": {"sha256_hex": "", "size_bytes": 1}, "revision_id": "r", "modified_ms": 0, "state": "Active",
        "last_update": "Successful",
        "function": {"created_ms": 0, "next_version": 1, "tags": {}, "reserved_concurrency": null}
    }))
    .expect("a function")
}

/// Makes a function that logs into a group, and lets a service run it on behalf of a source.
async fn function_with(bed: &Bed, group: &str, service: &str, source_arn: Option<&str>) {
    let statement = Statement {
        sid: "s".to_owned(),
        action: "lambda:InvokeFunction".to_owned(),
        principal: service.to_owned(),
        source_arn: source_arn.map(str::to_owned),
        source_account: Some("000000000000".to_owned()),
        ..Statement::default()
    };
    let policy = FunctionPolicy {
        scope: Scope::default(),
        function: "f".to_owned(),
        qualifier: None,
        statements: vec![statement],
    };
    let function = function(group);
    let put = move |tx: &mut Transaction<'_>| {
        tx.put(&function)?;
        tx.put(&policy)?;
        Ok::<(), pitbird_store::Error>(())
    };
    bed.state.store.write(put).await.expect("a function");
}

fn subscribe(group: &str, name: &str, pattern: &str) -> Json {
    json!({"logGroupName": group, "filterName": name, "filterPattern": pattern, "destinationArn": FUNCTION})
}

/// What was put into the function's queue since the last call.
fn delivered(bed: &Bed) -> Vec<Json> {
    let unpack = |delivery: Delivery| {
        assert_eq!((delivery.function.as_str(), delivery.qualifier), ("f", None));
        let event: Json = serde_json::from_str(&delivery.payload).expect("JSON");
        let packed = STANDARD.decode(event["awslogs"]["data"].as_str().expect("a text")).expect("base64");
        let mut text = String::new();
        GzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("gzip");
        serde_json::from_str(&text).expect("JSON")
    };
    bed.delivered.lock().expect("no panic before").drain(..).map(unpack).collect()
}

#[tokio::test]
async fn events_go_to_the_function_with_the_ids_that_readers_see() {
    let bed = Bed::new();
    bed.group("g").await;
    bed.stream("g", "s").await;
    let source = "arn:aws:logs:us-east-1:000000000000:log-group:g:*";
    function_with(&bed, "/aws/lambda/f", "logs.us-east-1.amazonaws.com", Some(source)).await;
    let mut following = Following::new(bed.state.clone());
    bed.ok("PutSubscriptionFilter", subscribe("g", "errors", "ERROR")).await;
    bed.ok("PutSubscriptionFilter", subscribe("g", "all", "")).await;
    bed.put("g", "s", &[(-1, "ERROR one"), (0, "fine \"two\"\n")]).await;
    following.finish().await;
    let mut messages = delivered(&bed);
    messages.sort_by_key(|message| message["subscriptionFilters"].to_string());
    let read = bed.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    let event = |place: usize| {
        let event = &read["events"][place];
        json!({"id": event["eventId"], "timestamp": event["timestamp"], "message": event["message"]})
    };
    let message = |filter: &str, events: Json| {
        json!({"messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": "g", "logStream": "s",
            "subscriptionFilters": [filter], "logEvents": events})
    };
    assert_eq!(messages, [message("all", json!([event(0), event(1)])), message("errors", json!([event(0)]))]);
    // Permission is asked at each delivery.
    function_with(&bed, "/aws/lambda/f", "s3.amazonaws.com", None).await;
    bed.put("g", "s", &[(0, "ERROR")]).await;
    following.finish().await;
    assert!(delivered(&bed).is_empty());
    function_with(&bed, "/aws/lambda/f", "logs.amazonaws.com", None).await;
    bed.ok("DeleteSubscriptionFilter", json!({"logGroupName": "g", "filterName": "all"})).await;
    bed.put("g", "s", &[(0, "ERROR"), (0, "fine")]).await;
    following.finish().await;
    assert_eq!(delivered(&bed).len(), 1);
}

#[tokio::test]
async fn many_events_are_sent_in_several_messages() {
    let bed = Bed::new();
    bed.group("g").await;
    bed.stream("g", "s").await;
    function_with(&bed, "/aws/lambda/f", "logs.amazonaws.com", None).await;
    let mut following = Following::new(bed.state.clone());
    bed.ok("PutSubscriptionFilter", subscribe("g", "all", "")).await;
    let long = "x".repeat(300_000);
    bed.put("g", "s", &[(0, &long), (0, &long), (0, "short")]).await;
    following.finish().await;
    let counts: Vec<_> =
        delivered(&bed).iter().map(|message| message["logEvents"].as_array().map(Vec::len)).collect();
    assert_eq!(counts, [Some(1), Some(2)]);
}

#[tokio::test]
async fn a_function_that_subscribes_to_itself_is_slowed_down() {
    let bed = Bed::new();
    bed.group("own").await;
    bed.stream("own", "s").await;
    function_with(&bed, "own", "logs.amazonaws.com", None).await;
    let mut following = Following::new(bed.state.clone());
    bed.ok("PutSubscriptionFilter", subscribe("own", "loop", "")).await;
    let now = bed.start_ms;
    for round in 0..3 {
        bed.put("own", "s", &[(round, "again")]).await;
        bed.state.telemetry.flush().await.expect("flushed");
        following.catch_up(now).await;
    }
    assert_eq!(delivered(&bed).len(), 1, "one at once");
    following.step(now + 9_999).await;
    assert_eq!(delivered(&bed).len(), 0);
    following.step(now + 10_000).await;
    assert_eq!(delivered(&bed).len(), 1);
    following.step(now + 20_000).await;
    assert_eq!(delivered(&bed).len(), 1);
    following.step(now + 90_000).await;
    assert_eq!(delivered(&bed).len(), 0, "nothing is left");
    for round in 0..102 {
        bed.put("own", "s", &[(round, "again")]).await;
        following.catch_up(now + 90_000).await;
    }
    for round in 1..=102 {
        following.step(now + 90_000 + round * 10_000).await;
    }
    assert_eq!(delivered(&bed).len(), 101, "one at once, a hundred that wait");
}

#[tokio::test]
async fn what_finds_no_place_is_sent_again() {
    let bed = Bed::new();
    bed.group("g").await;
    bed.stream("g", "s").await;
    function_with(&bed, "/aws/lambda/f", "logs.amazonaws.com", None).await;
    bed.ok("PutSubscriptionFilter", subscribe("g", "f", "")).await;
    let mut following = Following::new(bed.state.clone());
    let now = bed.start_ms;
    let full = |is: bool| bed.are_full.store(is, Ordering::Relaxed);
    full(true);
    bed.put("g", "s", &[(0, "waits")]).await;
    following.catch_up(now).await;
    following.step(now + 1000).await;
    full(false);
    following.step(now + 2999).await;
    assert!(delivered(&bed).is_empty(), "the second wait is twice as long");
    following.step(now + 3000).await;
    assert_eq!(delivered(&bed)[0]["logEvents"][0]["message"], "waits");
    following.step(now + 1_000_000).await;
    assert!(delivered(&bed).is_empty(), "once is enough");
    full(true);
    bed.put("g", "s", &[(0, "is given up")]).await;
    following.catch_up(now).await;
    for minute in 1..=11 {
        following.step(now + minute * 60_000).await;
    }
    full(false);
    following.step(now + 3_600_000).await;
    assert!(delivered(&bed).is_empty());
}

#[tokio::test]
async fn subscription_filters_are_described() {
    let bed = Bed::new();
    bed.group("g").await;
    function_with(&bed, "/aws/lambda/f", "logs.amazonaws.com", None).await;
    let empty = bed.ok("DescribeSubscriptionFilters", json!({"logGroupName": "g"})).await;
    assert_eq!(empty, json!({"subscriptionFilters": []}));
    bed.ok("PutSubscriptionFilter", subscribe("g", "b", "")).await;
    let mut input = subscribe("g", "a", "[]");
    input["distribution"] = json!("Random");
    bed.ok("PutSubscriptionFilter", input).await;
    let mut found = bed.ok("DescribeSubscriptionFilters", json!({"logGroupName": "g"})).await;
    assert_eq!(column(&found["subscriptionFilters"], "filterName"), ["a", "b"]);
    assert_eq!(found["subscriptionFilters"][0]["distribution"], "Random");
    found["subscriptionFilters"][1]["creationTime"] = json!(0);
    assert_eq!(
        found["subscriptionFilters"][1],
        json!({"filterName": "b", "logGroupName": "g", "filterPattern": "", "destinationArn": FUNCTION,
            "distribution": "ByLogStream", "applyOnTransformedLogs": false, "creationTime": 0})
    );
    let page = bed.ok("DescribeSubscriptionFilters", json!({"logGroupName": "g", "limit": 1})).await;
    let input = json!({"logGroupName": "g", "nextToken": page["nextToken"]});
    let rest = bed.ok("DescribeSubscriptionFilters", input).await;
    assert_eq!(column(&rest["subscriptionFilters"], "filterName"), ["b"]);
    let input = json!({"logGroupName": "g", "filterNamePrefix": "b"});
    let found = bed.ok("DescribeSubscriptionFilters", input).await;
    assert_eq!(column(&found["subscriptionFilters"], "filterName"), ["b"]);
}

#[tokio::test]
async fn a_subscription_that_can_t_be_obeyed_is_refused() {
    let bed = Bed::new();
    bed.group("g").await;
    let denied = bad(
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your \
         function.",
    );
    assert_eq!(bed.refused("PutSubscriptionFilter", subscribe("g", "f", "")).await, denied);
    function_with(&bed, "/aws/lambda/f", "s3.amazonaws.com", None).await;
    assert_eq!(bed.refused("PutSubscriptionFilter", subscribe("g", "f", "")).await, denied);
    let other = "arn:aws:logs:us-east-1:000000000000:log-group:h:*";
    function_with(&bed, "/aws/lambda/f", "logs.amazonaws.com", Some(other)).await;
    assert_eq!(bed.refused("PutSubscriptionFilter", subscribe("g", "f", "")).await, denied);
    function_with(&bed, "/aws/lambda/f", "logs.amazonaws.com", None).await;
    let to = |arn: &str, role: Option<&str>| {
        let mut input = subscribe("g", "f", "");
        input["destinationArn"] = json!(arn);
        if let Some(role) = role {
            input["roleArn"] = json!(role);
        }
        input
    };
    let (stream, role) =
        ("arn:aws:kinesis:us-east-1:000000000000:stream/s", "arn:aws:iam::000000000000:role/r");
    for (input, refused) in [
        (subscribe("h", "f", ""), no_group()),
        (subscribe("g", "f", "a-b"), bad("Invalid character(s) in term 'a-b'")),
        (to(stream, None), bad("destinationArn for vendor kinesis cannot be used without roleArn")),
        (to(stream, Some(role)), unsupported("A destination of kinesis")),
        (to("arn:aws:logs:us-east-1:000000000000:destination:d", None), unsupported("A destination of logs")),
        (to(FUNCTION, Some(role)), bad("destinationArn for vendor lambda cannot be used with roleArn")),
        (to(&format!("{FUNCTION}:live"), None), denied),
        (to("x", None), bad("destinationArn x is not valid.")),
        (
            to("arn:aws:lambda:us-east-1:111111111111:function:f", None),
            refusal(
                "AccessDeniedException",
                "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create \
                 cross account lambda triggers.",
            ),
        ),
    ] {
        assert_eq!(bed.refused("PutSubscriptionFilter", input).await, refused);
    }
    bed.ok("PutSubscriptionFilter", subscribe("g", "a", "")).await;
    bed.ok("PutSubscriptionFilter", subscribe("g", "b", "")).await;
    bed.ok("PutSubscriptionFilter", subscribe("g", "b", "in the place of another")).await;
    let limit = refusal("LimitExceededException", "Resource limit exceeded.");
    assert_eq!(bed.refused("PutSubscriptionFilter", subscribe("g", "c", "")).await, limit);
    let delete = |group: &str, name: &str| json!({"logGroupName": group, "filterName": name});
    assert_eq!(bed.refused("DeleteSubscriptionFilter", delete("h", "a")).await, no_group());
    let none = refusal("ResourceNotFoundException", "The specified subscription filter does not exist.");
    assert_eq!(bed.refused("DeleteSubscriptionFilter", delete("g", "c")).await, none);
    assert_eq!(bed.refused("DescribeSubscriptionFilters", json!({"logGroupName": "h"})).await, no_group());
}
