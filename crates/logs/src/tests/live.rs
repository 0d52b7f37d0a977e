//! Live Tail: what a session is told, with the clock paused.

use pitbird_service::{Answer, Events};

use super::*;
use crate::follow::Following;
use crate::live::UPDATE_EVENTS;

async fn start(bed: &Bed, input: Json) -> Result<Events, Refusal> {
    let call = Call {
        caller: bed.caller.clone(),
        request_id: "id".to_owned(),
        now_ms: bed.start_ms,
        endpoint: String::new(),
        trace_id: None,
        input: pitbird_wire::to_value(&input).expect("JSON is a value"),
    };
    match bed.service.call("StartLiveTail", call).expect("an operation").await {
        Ok(Answer::Events(_, events)) => Ok(events),
        Ok(Answer::Whole(_)) => panic!("no events"),
        Err(fault) => {
            let fault = fault.into_told();
            Err(refusal(&fault.code, fault.message))
        }
    }
}

/// The next event's name and its value as it goes over the wire.
async fn next(events: &mut Events) -> Option<(String, Json)> {
    let event = std::future::poll_fn(|context| events.as_mut().poll_next(context)).await?.expect("no fault");
    let model = wire_model();
    let operation = model.operation("StartLiveTail").expect("an operation");
    let call = pitbird_wire::Call {
        model,
        operation,
        protocol: Protocol::Json11,
        query_mode: false,
        labels: Vec::new(),
    };
    let message = call.encode_event(event.name, &event.value).expect("it fits its model");
    // Two lengths and a checksum, headers, the payload, a checksum of it all.
    let headers = u32::from_be_bytes(message[4..8].try_into().expect("four bytes")) as usize;
    let payload = &message[12 + headers..message.len() - 4];
    Some((event.name.to_owned(), serde_json::from_slice(payload).expect("JSON")))
}

#[tokio::test]
async fn a_session_is_told_each_second_what_came() {
    let bed = Bed::new();
    for group in ["g", "h"] {
        bed.group(group).await;
        bed.stream(group, "s").await;
    }
    bed.stream("g", "t").await;
    let mut following = Following::new(bed.state.clone());
    bed.put("g", "s", &[(0, "ERROR before")]).await;
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
    let mut events = start(
        &bed,
        json!({"logGroupIdentifiers": [arn], "logStreamNames": ["s"], "logEventFilterPattern": "ERROR"}),
    )
    .await
    .expect("a session");
    assert_eq!(
        next(&mut events).await.expect("an event"),
        (
            "sessionStart".to_owned(),
            json!({"requestId": "id", "sessionId": "id", "logGroupIdentifiers": [arn], "logStreamNames": ["s"],
                "logStreamNamePrefixes": [], "logEventFilterPattern": "ERROR"})
        )
    );
    bed.put("g", "s", &[(1, "ERROR two"), (2, "fine")]).await;
    bed.put("g", "t", &[(1, "ERROR of another stream")]).await;
    bed.put("h", "s", &[(1, "ERROR of another group")]).await;
    bed.written_to("g", "s").line(bed.start_ms, "ERROR one");
    following.finish().await;
    tokio::time::pause();
    let (name, update) = next(&mut events).await.expect("an event");
    assert_eq!((name.as_str(), &update["sessionMetadata"]), ("sessionUpdate", &json!({"sampled": false})));
    assert_eq!(column(&update["sessionResults"], "message"), ["ERROR one", "ERROR two"]);
    let first = &update["sessionResults"][0];
    assert_eq!(
        (&first["logStreamName"], &first["logGroupIdentifier"], &first["timestamp"]),
        (&json!("s"), &json!("000000000000:g"), &json!(bed.start_ms))
    );
    assert!(first["ingestionTime"].as_i64() >= Some(bed.start_ms));
    let (_, update) = next(&mut events).await.expect("an event");
    assert_eq!(update, json!({"sessionMetadata": {"sampled": false}, "sessionResults": []}));
}

#[tokio::test]
async fn a_session_shows_some_of_very_many_and_ends_after_three_hours() {
    let bed = Bed::new();
    bed.group("g").await;
    let mut following = Following::new(bed.state.clone());
    let input = json!({"logGroupIdentifiers": ["g"], "logStreamNamePrefixes": ["s", "x"]});
    let mut events = start(&bed, input).await.expect("a session");
    next(&mut events).await.expect("a start");
    let written = bed.written_to("g", "stream");
    (0..=UPDATE_EVENTS).for_each(|number| written.line(bed.start_ms, &number.to_string()));
    following.finish().await;
    tokio::time::pause();
    let (_, update) = next(&mut events).await.expect("an event");
    assert_eq!(update["sessionMetadata"]["sampled"], true);
    assert_eq!(update["sessionResults"].as_array().map(Vec::len), Some(UPDATE_EVENTS));
    let mut updates = 1;
    let last = loop {
        match next(&mut events).await.expect("an event") {
            (name, _) if name == "sessionUpdate" => updates += 1,
            (name, _) => break name,
        }
    };
    assert_eq!((last.as_str(), updates), ("SessionTimeoutException", 3 * 3600 - 1));
    assert!(next(&mut events).await.is_none());
}

#[tokio::test]
async fn sessions_end_with_the_server() {
    let bed = Bed::new();
    bed.group("g").await;
    let follower = crate::start_follower(bed.state.clone());
    let mut events = start(&bed, json!({"logGroupIdentifiers": ["g"]})).await.expect("a session");
    assert_eq!(next(&mut events).await.expect("an event").0, "sessionStart");
    follower.end_sessions();
    tokio::time::pause();
    assert!(next(&mut events).await.is_none());
    tokio::time::resume();
    follower.stop().await;
}

#[tokio::test]
async fn a_session_that_can_t_be_is_refused() {
    let bed = Bed::new();
    bed.group("g").await;
    bed.group("h").await;
    for (input, refused) in [
        (json!({"logGroupIdentifiers": ["i"]}), no_group()),
        (
            json!({"logGroupIdentifiers": ["g"], "logEventFilterPattern": "{ $.a"}),
            bad("Invalid filter pattern"),
        ),
        (
            json!({"logGroupIdentifiers": ["g"], "logStreamNames": ["a"], "logStreamNamePrefixes": ["b"]}),
            bad("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters."),
        ),
        (
            json!({"logGroupIdentifiers": ["g", "h"], "logStreamNames": ["a"]}),
            bad("logStreamNames and logStreamNamePrefixes take exactly one log group."),
        ),
    ] {
        assert_eq!(start(&bed, input).await.err(), Some(refused));
    }
    let mut open = Vec::new();
    for _ in 0..15 {
        open.push(start(&bed, json!({"logGroupIdentifiers": ["g"]})).await.expect("a session"));
    }
    let limit = refusal("LimitExceededException", "At most 15 Live Tail sessions may be open at once.");
    assert_eq!(start(&bed, json!({"logGroupIdentifiers": ["g"]})).await.err(), Some(limit));
    open.pop();
    assert!(start(&bed, json!({"logGroupIdentifiers": ["g"]})).await.is_ok(), "who goes makes room");
}
