use super::*;

const GROUP: &str = "/aws/lambda/f";

impl Bed {
    /// Starts a query over the hours around the test's start.
    async fn start(&self, query: &str) -> String {
        let seconds = self.start_ms / 1000;
        let input = json!({"logGroupName": GROUP, "startTime": seconds - 3600, "endTime": seconds + 3600, "queryString": query});
        self.ok("StartQuery", input).await["queryId"].as_str().expect("an id").to_owned()
    }

    /// What a query answers once it has ended.
    async fn results(&self, id: &str) -> Json {
        loop {
            let found = self.ok("GetQueryResults", json!({"queryId": id})).await;
            if !matches!(found["status"].as_str(), Some("Scheduled" | "Running")) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn filled(&self) {
        self.group(GROUP).await;
        self.stream(GROUP, "s").await;
        self.put(
            GROUP,
            "s",
            &[(0, r#"{"level":"INFO","ms":5}"#), (1, r#"{"level":"ERROR","ms":7}"#), (2, "END RequestId: x")],
        )
        .await;
    }
}

#[tokio::test]
async fn a_query_answers_rows() {
    let bed = Bed::new();
    bed.filled().await;
    let id = bed.start("fields level, ms | filter ms > 1 | sort ms desc").await;
    let found = bed.results(&id).await;
    assert_eq!((&found["status"], &found["queryLanguage"]), (&json!("Complete"), &json!("CWLI")));
    let fields = column(&found["results"][0], "field");
    assert_eq!(fields, ["level", "ms", "@ptr"]);
    assert_eq!(column(&found["results"][0], "value")[..2], ["ERROR", "7"]);
    assert_eq!(found["results"].as_array().map(Vec::len), Some(2));
    let statistics = &found["statistics"];
    assert_eq!((&statistics["recordsMatched"], &statistics["recordsScanned"]), (&json!(2.0), &json!(3.0)));
    assert!(statistics["bytesScanned"].as_f64().is_some_and(|bytes| bytes > 60.0));

    let id = bed.start("stats count(*) as n, max(ms) by level | sort level desc").await;
    let found = bed.results(&id).await;
    assert_eq!(column(&found["results"][0], "value"), ["INFO", "1", "5"]);
    assert_eq!(column(&found["results"][2], "field"), ["n"], "what is missing is left out");
}

#[tokio::test]
async fn a_query_compares_with_an_earlier_time() {
    const DAY_MS: i64 = 86_400_000;
    let bed = Bed::new();
    bed.filled().await;
    bed.put(
        GROUP,
        "s",
        &[(-DAY_MS, "END RequestId: x"), (1 - DAY_MS, "END RequestId: x"), (2 - DAY_MS, "gone")],
    )
    .await;
    bed.put(GROUP, "s", &[(-2 * DAY_MS, "END RequestId: x")]).await;
    let id = bed.start("filter @message not like /level/ | diff previousDay").await;
    let found = bed.results(&id).await;
    let fields = ["@pattern", "@ratio", "@sampleCount", "@differenceEventCount", "@differenceDescription"];
    assert_eq!(column(&found["results"][0], "field"), fields);
    let rows: Vec<_> = (0..2).map(|row| column(&found["results"][row], "value").join("|")).collect();
    assert_eq!(rows, ["END RequestId: x|1|1|-1|-50%", "gone|0|0|-1|Gone"]);
    assert_eq!(found["statistics"]["recordsScanned"], json!(6.0), "both times, and not what lies between");
    let found = bed.results(&bed.start("filter @message like /END/ | diff").await).await;
    assert_eq!(column(&found["results"][0], "value")[4], "New", "there is nothing in the two hours before");
}

#[tokio::test]
async fn a_pointer_finds_its_event() {
    let bed = Bed::new();
    bed.filled().await;
    let id = bed.start("filter level = 'ERROR'").await;
    let found = bed.results(&id).await;
    let pointer = column(&found["results"][0], "value").pop().expect("a pointer");
    let found = bed.ok("GetLogRecord", json!({"logRecordPointer": pointer, "unmask": true})).await;
    let record = &found["logRecord"];
    for (name, value) in [
        ("@message", r#"{"level":"ERROR","ms":7}"#),
        ("level", "ERROR"),
        ("ms", "7"),
        ("@log", "000000000000:/aws/lambda/f"),
        ("@logStream", "s"),
        ("@timestamp", &(bed.start_ms + 1).to_string()),
        ("@ptr", &pointer),
    ] {
        assert_eq!(record[name], json!(value), "{name}");
    }
    let refused = bed.refused("GetLogRecord", json!({"logRecordPointer": "x"})).await;
    assert_eq!(refused, bad("The specified log record pointer is invalid."));
    bed.ok("DeleteLogGroup", json!({"logGroupName": GROUP})).await;
    let gone = refusal("ResourceNotFoundException", "The specified log record does not exist.");
    assert_eq!(bed.refused("GetLogRecord", json!({"logRecordPointer": pointer})).await, gone);
}

#[tokio::test]
async fn times_are_seconds_and_both_ends_are_in() {
    let bed = Bed::new();
    bed.filled().await;
    let second = bed.start_ms / 1000;
    for (from, to, count) in [(second, second, 3), (second + 2, second + 9, 0), (second - 9, second - 1, 0)] {
        let input = json!({"logGroupNames": [GROUP], "startTime": from, "endTime": to, "queryString": "fields @message"});
        let id = bed.ok("StartQuery", input).await;
        let found = bed.results(id["queryId"].as_str().expect("an id")).await;
        let rows = found["results"].as_array().map_or(0, Vec::len);
        // The last of the three events may lie in the next second.
        assert!(rows == count || (count == 3 && rows > 0), "{from} {to}: {rows}");
    }
    let input = json!({"logGroupName": GROUP, "startTime": 2, "endTime": 1, "queryString": "fields a"});
    assert_eq!(
        bed.refused("StartQuery", input).await,
        bad("The end time of a query must not be before its start time.")
    );
}

#[tokio::test]
async fn results_come_in_pages_and_within_the_limit() {
    let bed = Bed::new();
    bed.filled().await;
    let second = bed.start_ms / 1000;
    let input = json!({"logGroupIdentifiers": [GROUP], "startTime": second - 1, "endTime": second + 1, "queryString": "fields @message", "limit": 2});
    let id = bed.ok("StartQuery", input).await["queryId"].as_str().expect("an id").to_owned();
    assert_eq!(bed.results(&id).await["results"].as_array().map(Vec::len), Some(2));
    let first = bed.ok("GetQueryResults", json!({"queryId": id, "maxItems": 1})).await;
    let second = json!({"queryId": id, "maxItems": 1, "nextToken": first["nextToken"]});
    let second = bed.ok("GetQueryResults", second).await;
    assert_ne!(first["results"], second["results"]);
    assert_eq!(second.get("nextToken"), None);
    let refused = bed.refused("GetQueryResults", json!({"queryId": id, "nextToken": "9"})).await;
    assert_eq!(refused, bad("The specified nextToken is invalid."));
}

#[tokio::test]
async fn queries_are_listed_and_stopped() {
    let bed = Bed::new();
    bed.filled().await;
    let first = bed.start("fields @message").await;
    bed.results(&first).await;
    let second = bed.start("stats count(*)").await;
    bed.results(&second).await;
    let found = bed.ok("DescribeQueries", json!({"status": "Complete", "logGroupName": GROUP})).await;
    assert_eq!(column(&found["queries"], "queryId"), [second.clone(), first.clone()]);
    assert_eq!(column(&found["queries"], "queryString"), ["stats count(*)", "fields @message"]);
    let page = bed.ok("DescribeQueries", json!({"maxResults": 1})).await;
    let page = bed.ok("DescribeQueries", json!({"maxResults": 1, "nextToken": page["nextToken"]})).await;
    assert_eq!(column(&page["queries"], "queryId"), std::slice::from_ref(&first));
    assert_eq!(bed.ok("DescribeQueries", json!({"logGroupName": "other"})).await, json!({"queries": []}));

    assert_eq!(bed.refused("StopQuery", json!({"queryId": first})).await, bad("Query is already ended."));
    let none = refusal("ResourceNotFoundException", "Query with id x does not exist.");
    assert_eq!(bed.refused("StopQuery", json!({"queryId": "x"})).await, none);
    assert_eq!(bed.refused("GetQueryResults", json!({"queryId": "x"})).await, none);
    // On one thread a query doesn't start before somebody waits: it is stopped first.
    let second = bed.start_ms / 1000;
    let input = json!({"logGroupName": GROUP, "startTime": second - 60, "endTime": second, "queryString": "fields a"});
    let id = bed.ok("StartQuery", input).await;
    assert_eq!(bed.ok("StopQuery", id.clone()).await, json!({"success": true}));
    assert_eq!(bed.results(id["queryId"].as_str().expect("an id")).await["status"], "Cancelled");
    let week = 8 * DAY;
    bed.now_ms.fetch_add(week, Ordering::Relaxed);
    assert_eq!(bed.ok("DescribeQueries", json!({})).await, json!({"queries": []}));
}

#[tokio::test]
async fn what_is_no_query_is_told() {
    let bed = Bed::new();
    bed.filled().await;
    let start =
        |query: &str| json!({"logGroupName": GROUP, "startTime": 1, "endTime": 2, "queryString": query});
    let service = |code: &str| {
        let id = bed.next_request();
        format!("(Service: AWSLogs; Status Code: 400; Error Code: {code}; Request ID: {id}; Proxy: null)")
    };
    let message = format!(
        "unexpected symbol found count at line 1 and position 9 {}",
        service("MalformedQueryException")
    );
    assert_eq!(
        bed.refused("StartQuery", start("fields a|count()")).await,
        refusal("MalformedQueryException", message)
    );
    assert_eq!(
        bed.refused("StartQuery", start("pattern @message | join")).await,
        unsupported("The query command join")
    );
    let mut input = start("fields a");
    input["queryLanguage"] = json!("SQL");
    assert_eq!(bed.refused("StartQuery", input).await, unsupported("queryLanguage SQL"));
    let mut input = start("fields a");
    input["limit"] = json!(10_001);
    assert_eq!(bed.refused("StartQuery", input).await, unsupported("limit above 10000"));
    let mut input = start("fields a");
    input["logGroupName"] = json!("nosuch");
    let message = format!(
        "Log group 'nosuch' does not exist for account ID '000000000000' {}",
        service("ResourceNotFoundException")
    );
    assert_eq!(bed.refused("StartQuery", input).await, refusal("ResourceNotFoundException", message));
    let mut input = start("fields a");
    input["logGroupNames"] = json!([GROUP]);
    let one = bad("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.");
    assert_eq!(bed.refused("StartQuery", input).await, one);
    let many: Vec<String> = (0..51).map(|n| format!("g{n}")).collect();
    let input = json!({"logGroupNames": many, "startTime": 1, "endTime": 2, "queryString": "fields a"});
    assert_eq!(bed.refused("StartQuery", input).await, bad("A query takes at most 50 log groups."));
}

#[tokio::test]
async fn a_groups_fields_are_found() {
    let bed = Bed::new();
    bed.filled().await;
    let found =
        bed.ok("GetLogGroupFields", json!({"logGroupName": GROUP, "time": bed.start_ms / 1000})).await;
    let fields: Vec<(&Json, &Json)> = found["logGroupFields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| (&field["name"], &field["percent"]))
        .collect();
    assert!(fields.contains(&(&json!("@message"), &json!(100))), "{fields:?}");
    assert!(fields.contains(&(&json!("level"), &json!(67))), "{fields:?}");
    assert!(fields.contains(&(&json!("@type"), &json!(34))), "{fields:?}");
    let far = bed.ok("GetLogGroupFields", json!({"logGroupName": GROUP, "time": 1_000_000})).await;
    assert_eq!(far, json!({"logGroupFields": []}));
    assert_eq!(bed.refused("GetLogGroupFields", json!({"logGroupName": "nosuch"})).await, no_group());
}

#[tokio::test]
async fn a_groups_fields_are_bounded() {
    let bed = Bed::new();
    bed.group(GROUP).await;
    bed.stream(GROUP, "s").await;
    let message = |n: usize| {
        let members: Vec<String> = (0..200).map(|m| format!("\"f{}\":1", n * 200 + m)).collect();
        format!("{{{}}}", members.join(","))
    };
    let messages: Vec<String> = (0..8).map(message).collect();
    let events: Vec<(i64, &str)> = messages.iter().map(|message| (0, message.as_str())).collect();
    bed.put(GROUP, "s", &events).await;
    let found = bed.ok("GetLogGroupFields", json!({"logGroupName": GROUP})).await;
    assert_eq!(found["logGroupFields"].as_array().map(Vec::len), Some(1000));
}
