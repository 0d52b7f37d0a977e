use super::*;

async fn bed_with_stream() -> Bed {
    let bed = Bed::new();
    bed.group("g").await;
    bed.stream("g", "s").await;
    bed
}

#[tokio::test]
async fn what_is_put_is_read() {
    let bed = bed_with_stream().await;
    let put = bed.put("g", "s", &[(-2, "one"), (-2, "two"), (0, "three\n")]).await;
    assert!(put["nextSequenceToken"].as_str().is_some_and(|token| token.len() == 56), "{put}");
    assert_eq!(put.get("rejectedLogEventsInfo"), None);
    let input = json!({"logGroupName": "g", "logStreamName": "s"});
    let read = bed.ok("GetLogEvents", input.clone()).await;
    assert_eq!(column(&read["events"], "message"), ["one", "two", "three\n"]);
    assert_eq!(read["events"][2]["timestamp"], bed.start_ms);
    assert!(read["events"][0]["ingestionTime"].as_i64() >= Some(bed.start_ms));
    // The end is exclusive here and inclusive in FilterLogEvents.
    let range = json!({"logGroupName": "g", "logStreamName": "s", "startTime": bed.start_ms - 2, "endTime": bed.start_ms});
    assert_eq!(column(&bed.ok("GetLogEvents", range).await["events"], "message"), ["one", "two"]);
    let range = json!({"logGroupName": "g", "startTime": bed.start_ms, "endTime": bed.start_ms});
    assert_eq!(column(&bed.ok("FilterLogEvents", range).await["events"], "message"), ["three\n"]);
}

#[tokio::test]
async fn put_makes_neither_group_nor_stream() {
    let bed = Bed::new();
    let events = json!([{"timestamp": bed.start_ms, "message": "x"}]);
    let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events});
    assert_eq!(bed.refused("PutLogEvents", input.clone()).await, no_group());
    bed.group("g").await;
    assert_eq!(bed.refused("PutLogEvents", input).await, no_stream());
    let old = json!([{"timestamp": 0, "message": "x"}]);
    let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": old});
    assert_eq!(bed.refused("PutLogEvents", input).await, no_stream(), "also when no event is left");
}

#[tokio::test]
async fn a_batch_that_breaks_a_rule_is_refused_whole() {
    let bed = bed_with_stream().await;
    let event = |after: i64, message: &str| json!({"timestamp": bed.start_ms + after, "message": message});
    let large = "x".repeat(1_048_551);
    for (events, words) in [
        (
            json!([event(1, "a"), event(0, "b")]),
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            json!([event(-25 * HOUR, "a"), event(0, "b")]),
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        (json!([event(0, &large)]), "Upload too large: 1048577 bytes exceeds limit of 1048576"),
    ] {
        let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events});
        assert_eq!(bed.refused("PutLogEvents", input).await, bad(words));
    }
    let read = bed.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    assert_eq!(read, json!({"events": [], "searchedLogStreams": []}));
}

#[tokio::test]
async fn events_outside_the_time_are_named_and_the_others_taken() {
    let bed = bed_with_stream().await;
    let put = bed
        .put("g", "s", &[(-15 * DAY, "old"), (-14 * DAY - HOUR, "old"), (0, "now"), (3 * HOUR, "new")])
        .await;
    let rejected = json!({"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 3});
    assert_eq!(put["rejectedLogEventsInfo"], rejected);
    let read = bed.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    assert_eq!(column(&read["events"], "message"), ["now"]);
}

#[tokio::test]
async fn pages_of_a_stream_go_both_ways_and_end_with_the_same_token() {
    let bed = bed_with_stream().await;
    let messages: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let events: Vec<(i64, &str)> =
        messages.iter().map(|text| (text.parse().expect("a number"), text.as_str())).collect();
    bed.put("g", "s", &events).await;
    let get = async |more: Json| {
        let mut input = json!({"logGroupName": "g", "logStreamName": "s", "limit": 4});
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        bed.run("GetLogEvents", input).await.expect("a page")
    };
    let tail = get(json!({})).await;
    assert_eq!(column(&tail["events"], "message"), ["6", "7", "8", "9"], "the latest page is the default");
    let before = get(json!({"nextToken": tail["nextBackwardToken"]})).await;
    assert_eq!(column(&before["events"], "message"), ["2", "3", "4", "5"]);
    let (mut token, mut seen) = (Json::Null, Vec::new());
    loop {
        let page = get(json!({"startFromHead": true, "nextToken": token})).await;
        seen.extend(column(&page["events"], "message"));
        if page["nextForwardToken"] == token {
            assert_eq!(page["events"], json!([]));
            break;
        }
        token = page["nextForwardToken"].clone();
        assert!(token.as_str().is_some_and(|token| token.starts_with("f/")));
    }
    assert_eq!(seen, messages);
    // What comes later is found under the last token.
    bed.put("g", "s", &[(20, "later")]).await;
    assert_eq!(column(&get(json!({"nextToken": token})).await["events"], "message"), ["later"]);
    for token in ["x", "f/1", "9"] {
        let input = json!({"logGroupName": "g", "logStreamName": "s", "nextToken": token});
        assert_eq!(bed.refused("GetLogEvents", input).await, bad("The specified nextToken is invalid."));
    }
    let input = json!({"logGroupName": "g", "logStreamName": "t"});
    assert_eq!(bed.refused("GetLogEvents", input).await, no_stream());
}

#[tokio::test]
async fn a_group_is_filtered_over_all_its_streams() {
    let bed = bed_with_stream().await;
    bed.stream("g", "t").await;
    bed.put("g", "s", &[(0, "ERROR one"), (2, "fine"), (4, "ERROR three")]).await;
    bed.put("g", "t", &[(1, "ERROR two"), (3, "error four")]).await;
    let filter = async |more: Json| {
        let mut input = json!({"logGroupIdentifier": "g"});
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        bed.run("FilterLogEvents", input).await
    };
    let messages =
        async |more: Json| column(&filter(more).await.expect("events")["events"], "message").join(", ");
    assert_eq!(messages(json!({"filterPattern": "ERROR"})).await, "ERROR one, ERROR two, ERROR three");
    assert_eq!(messages(json!({"filterPattern": "ERROR -two"})).await, "ERROR one, ERROR three");
    assert_eq!(messages(json!({"filterPattern": "?fine ?four"})).await, "fine, error four");
    assert_eq!(messages(json!({"filterPattern": "%^ERROR t.o%"})).await, "ERROR two");
    assert_eq!(messages(json!({"filterPattern": "[level=ERROR, what=t*]"})).await, "ERROR two, ERROR three");
    assert_eq!(messages(json!({"filterPattern": "{ $.level = ERROR }"})).await, "");
    assert_eq!(messages(json!({"logStreamNames": ["t", "gone"]})).await, "ERROR two, error four");
    assert_eq!(
        messages(json!({"logStreamNamePrefix": "s", "interleaved": false})).await,
        "ERROR one, fine, ERROR three"
    );
    let first = filter(json!({"limit": 2})).await.expect("a page");
    assert_eq!(column(&first["events"], "logStreamName"), ["s", "t"]);
    assert_eq!(messages(json!({"nextToken": first["nextToken"]})).await, "fine, error four, ERROR three");
    let ids = column(&first["events"], "eventId");
    assert!(ids[0].len() == 56 && ids[0] < ids[1], "{ids:?}");
    for (more, words) in [
        (
            json!({"logStreamNames": ["s"], "logStreamNamePrefix": "s"}),
            "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.",
        ),
        (json!({"nextToken": "x"}), "The specified nextToken is invalid."),
        (json!({"filterPattern": "{ $.a }"}), "Invalid filter pattern"),
        (json!({"filterPattern": "a-b"}), "Invalid character(s) in term 'a-b'"),
        (
            json!({"logGroupName": "g"}),
            "Exactly one of logGroupName and logGroupIdentifier must be specified.",
        ),
    ] {
        assert_eq!(filter(more).await.expect_err(words), bad(words));
    }
    assert_eq!(bed.refused("FilterLogEvents", json!({"logGroupName": "h"})).await, no_group());
}

#[tokio::test]
async fn times_beyond_all_calendars_do_no_harm() {
    let bed = bed_with_stream().await;
    let put = bed.put("g", "s", &[(0, "now")]).await;
    assert_eq!(put.get("rejectedLogEventsInfo"), None);
    let events = json!([{"timestamp": 0, "message": "a"}, {"timestamp": i64::MAX, "message": "b"}]);
    let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events});
    let rejected = json!({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 1});
    assert_eq!(bed.ok("PutLogEvents", input).await["rejectedLogEventsInfo"], rejected);
    for (start, end, found) in [(0, i64::MAX, 1), (i64::MAX, i64::MAX, 0), (i64::MAX, 0, 0)] {
        let range = json!({"logGroupName": "g", "startTime": start, "endTime": end});
        let all = bed.ok("FilterLogEvents", range.clone()).await;
        assert_eq!(all["events"].as_array().map(Vec::len), Some(found), "{range}");
        for more in [json!({"startFromHead": true}), json!({"startFromHead": false})] {
            let mut input = range.clone();
            let members = input.as_object_mut().expect("an object");
            members.extend(more.as_object().expect("an object").clone());
            members.insert("logStreamName".to_owned(), json!("s"));
            let all = bed.ok("GetLogEvents", input).await;
            assert_eq!(all["events"].as_array().map(Vec::len), Some(found), "{range}");
        }
    }
}
