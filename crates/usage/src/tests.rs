//! The operations from their model to their answers, and what the meter tells.

mod bed;
mod levels;
mod model;

use pitbird_telemetry::logs::NewEvent;
use serde_json::json;

use bed::{Bed, NOW_MS, add};

#[tokio::test]
async fn amounts_are_grouped_and_add_up() {
    let bed = Bed::open().await;
    for (track, requests) in [("base", 9), ("canary", 1)] {
        let names = [("Api", "a1"), ("Stage", "prod"), ("Track", track)];
        add(&bed, "ApiGateway", &names, "RestRequests", requests);
    }
    for version in ["1", "2"] {
        add(&bed, "Lambda", &[("FunctionName", "f"), ("Version", version)], "FunctionRequests", 5);
    }
    add(&bed, "Later", &[], "Parsecs", 1);
    let rows = async |input| bed.rows(input).await;
    assert_eq!(rows(json!({})).await, ["FunctionRequests 10 requests", "RestRequests 10 requests"]);
    assert_eq!(
        rows(json!({"GroupBy": "Track"})).await,
        [
            "FunctionRequests 10 requests",
            "a1/prod/base RestRequests 9 requests",
            "a1/prod/canary RestRequests 1 requests"
        ]
    );
    assert_eq!(rows(json!({"GroupBy": "Stage"})).await[1], "a1/prod RestRequests 10 requests");
    assert_eq!(rows(json!({"GroupBy": "Api"})).await[1], "a1 RestRequests 10 requests");
    assert_eq!(rows(json!({"GroupBy": "Function"})).await[1], "f FunctionRequests 10 requests");
    assert_eq!(
        rows(json!({"GroupBy": "Version"})).await[1..],
        ["f/1 FunctionRequests 5 requests", "f/2 FunctionRequests 5 requests"]
    );
    assert_eq!(rows(json!({"Month": "2026-10"})).await, Vec::<String>::new());
}

#[tokio::test]
async fn pages_follow_each_other_whatever_their_size() {
    let bed = Bed::open().await;
    for version in 1..=7 {
        let names = [("FunctionName", "f"), ("Version", &version.to_string())];
        add(&bed, "Lambda", &names, "FunctionRequests", version);
        add(&bed, "Lambda", &names, "DurationX86", version);
    }
    let whole = bed.rows(json!({"GroupBy": "Version"})).await;
    assert_eq!(whole.len(), 14);
    for size in [1, 3, 13, 14] {
        assert_eq!(bed.rows(json!({"GroupBy": "Version", "MaxResults": size})).await, whole, "{size} a page");
    }
    for (size, is_taken) in [(1, true), (1000, true), (0, false), (1001, false)] {
        assert_eq!(bed.run(json!({"MaxResults": size})).await.is_ok(), is_taken, "{size}");
    }
}

#[tokio::test]
async fn what_is_no_month_is_refused() {
    let bed = Bed::open().await;
    for month in ["2026-13", "2026-00"] {
        let error = bed.run(json!({"Month": month})).await.unwrap_err();
        assert!(error.starts_with("InvalidParameterException") && error.contains("2026-11"), "{error}");
    }
    let error = bed.run(json!({"Colour": "red"})).await.unwrap_err();
    assert!(error.contains("Colour"), "{error}");
}

#[tokio::test]
async fn log_groups_belong_to_who_writes_them() {
    let bed = Bed::open().await;
    bed.fill().await;
    let event = [NewEvent { at_ms: NOW_MS, message: "abcd".to_owned() }];
    let groups = [
        "/aws/lambda/gone",
        "/own/group",
        "API-Gateway-Execution-Logs_a1/prod",
        "API-Gateway-Execution-Logs_a1/prod/Canary",
        "access",
        "access/Canary",
        "shared",
        "nobodys",
    ];
    for group in groups {
        bed.telemetry.create_stream(&Default::default(), group, "s").await.unwrap();
        bed.telemetry.append(&Default::default(), group, "s", &event).await.unwrap();
    }
    let month = bed::this_month();
    let rows = async |by: &str| bed.rows(json!({"GroupBy": by, "Month": month})).await;
    assert_eq!(
        rows("Function").await,
        ["IngestedBytes 180 bytes", "gone IngestedBytes 30 bytes", "pets IngestedBytes 30 bytes"]
    );
    assert_eq!(rows("Stage").await, ["IngestedBytes 120 bytes", "a1/prod IngestedBytes 120 bytes"]);
    assert_eq!(rows("Track").await[2], "a1/prod/canary IngestedBytes 60 bytes");
    assert_eq!(rows("LogGroup").await.len(), groups.len());
}

#[tokio::test]
async fn environments_are_told_by_function_and_version_page_by_page() {
    let bed = Bed::open().await;
    let told = async |input| {
        let page = bed.call("ListEnvironments", input).await?;
        let line = |found: &serde_json::Value| {
            format!("{}:{} {}", found["FunctionName"], found["Version"], found["Alive"])
        };
        let lines = page["Environments"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(", ");
        Ok::<_, String>((lines.replace('"', ""), page["NextToken"].clone()))
    };
    let all = "carts:$LATEST 1, pets:1 2, pets:2 3";
    assert_eq!(told(json!({})).await.unwrap(), (all.to_owned(), json!(null)));
    let (first, token) = told(json!({"MaxResults": 2})).await.unwrap();
    assert_eq!((first.as_str(), &token), ("carts:$LATEST 1, pets:1 2", &json!("pets:1")));
    assert_eq!(told(json!({"NextToken": token})).await.unwrap().0, "pets:2 3");
    let arn = |account| json!({"FunctionName": format!("arn:aws:lambda:us-east-1:{account}:function:pets")});
    assert_eq!(told(json!({"FunctionName": "pets"})).await.unwrap().0, "pets:1 2, pets:2 3");
    assert_eq!(told(arn("000000000000")).await.unwrap().0, "pets:1 2, pets:2 3");
    assert_eq!(told(arn("111111111111")).await.unwrap().0, "", "somebody else's");
    assert_eq!(told(json!({"FunctionName": "others"})).await.unwrap().0, "");
    assert!(told(json!({"FunctionName": "a b"})).await.unwrap_err().contains("neither a function's name"));
    assert!(told(json!({"MaxResults": 0})).await.is_err());
}
