use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use pitbird_wire::Fault;
use serde_json::{Value as Json, json};

use super::*;
use crate::arguments::Command;
use crate::streams::captured::Captured;
use crate::stub::{Asked, Stub, rollout};

/// What a command line did.
#[derive(Debug)]
struct Did {
    code: u8,
    out: String,
    err: String,
}

async fn did(line: &str, stub: &Stub) -> Did {
    let endpoint = stub.endpoint.to_string();
    did_at(line, &endpoint).await
}

async fn did_at(line: &str, endpoint: &str) -> Did {
    let words = line.split_whitespace().chain(["--endpoint-url", endpoint, "--region", "eu-west-1"]);
    let cli = Cli::try_parse_from(words).unwrap();
    let Command::Client(command) = cli.command else { panic!("{line}") };
    let captured = Captured::default();
    let mut streams = captured.streams(false);
    let runtimes = async |chosen: &[RuntimeProgram]| {
        let found = Ok(chosen.first().map_or("here".into(), |one| one.program.display().to_string()));
        vec![Runtime { name: "python3.13".into(), found, is_chosen: !chosen.is_empty() }]
    };
    let (code, failure) = match done(command, cli.output, &cli.server, runtimes, &mut streams).await {
        Ok(code) => (code, String::new()),
        Err(failure) => (failure.code, failure.to_string()),
    };
    Did { code, out: captured.out.text(), err: captured.err.text() + &failure }
}

/// Answers with the statuses one after the other, then with the last for ever.
fn rollouts(statuses: &'static [&'static str]) -> impl Fn(&Asked) -> Result<Json, Fault> + Send + Sync {
    let next = AtomicUsize::new(0);
    move |asked| {
        let at = match asked.operation {
            "GetRollout" => next.fetch_add(1, Ordering::Relaxed).min(statuses.len() - 1),
            _ => 0,
        };
        Ok(json!({"Rollout": rollout(statuses[at], 10.0)}))
    }
}

#[tokio::test]
async fn a_watch_ends_as_the_rollout_did() {
    for (status, code, words) in [
        ("Promoted", 0, "promoted"),
        ("Failed", 1, "failed"),
        ("RolledBack", 10, "rolled back"),
        ("Aborted", 11, "aborted"),
        ("Inconclusive", 12, "inconclusive"),
        ("TimedOut", 13, "timed out"),
    ] {
        let next = AtomicUsize::new(0);
        let stub = Stub::start(move |_| {
            let is_first = next.fetch_add(1, Ordering::Relaxed) == 0;
            Ok(json!({"Rollout": rollout(if is_first { "InProgress" } else { status }, 10.0)}))
        })
        .await;
        let did = did("pitbird rollout watch r --interval 1ms", &stub).await;
        assert_eq!(did.code, code, "{did:?}");
        let lines: Vec<&str> = did.out.lines().collect();
        assert_eq!(lines.len(), 2, "{did:?}");
        assert!(lines[0].contains("in progress | at 10 % | base 0/90 failed (0.00 %)"), "{did:?}");
        assert!(lines[1].contains(words), "{did:?}");
    }
}

#[tokio::test]
async fn a_watch_outlives_the_servers_restart() {
    let stub = Stub::start(rollouts(&["InProgress"])).await;
    let endpoint = stub.endpoint.clone();
    let url = endpoint.to_string();
    let watch =
        tokio::spawn(
            async move { did_at("pitbird rollout watch r --interval 1ms --output text", &url).await },
        );
    while stub.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    stub.stop().await;
    let stub = Stub::start_at(&endpoint, rollouts(&["Promoted"])).await;
    let did = watch.await.unwrap();
    assert_eq!(did.code, 0, "{did:?}");
    assert!(did.out.contains("Status\tPromoted"), "{did:?}");
    assert!(!stub.asked().is_empty());
}

#[tokio::test]
async fn a_start_is_followed_on_request_only() {
    let stub = Stub::start(rollouts(&["RolledBack"])).await;
    let line = "pitbird rollout start --rest-api a1 --stage prod --deployment d2 --steps 10,50 --wait 1s";
    let alone = did(line, &stub).await;
    assert_eq!(alone.code, 0, "{alone:?}");
    assert_eq!(stub.asked().len(), 1);
    assert_eq!(
        stub.asked()[0].input,
        json!({
            "Target": {"RestStage": {"RestApiId": "a1", "StageName": "prod"}}, "Canary": {"DeploymentId": "d2"},
            "Steps": [{"Percent": 10.0, "WaitMs": 1000}, {"Percent": 50.0, "WaitMs": 1000}], "Name": "a1-prod-d2",
        })
    );
    let followed = did(&format!("{line} --watch --output json"), &stub).await;
    assert_eq!(followed.code, 10);
    assert_eq!(serde_json::from_str::<Json>(&followed.out).unwrap()["Status"], "RolledBack");
    assert!(followed.err.contains("rolled back"), "progress is words: {followed:?}");
}

#[tokio::test]
async fn a_rollout_is_shown_and_steered() {
    let stub = Stub::start(rollouts(&["Paused"])).await;
    let status = did("pitbird rollout status r", &stub).await;
    assert!(status.out.starts_with("r  ‖ paused"), "{status:?}");
    assert!(status.out.contains("deployment d2 to stage prod of REST API a1"), "{status:?}");
    let text = did("pitbird rollout status r --output text", &stub).await;
    assert!(text.out.contains("Steps.0.Percent\t10.0\n"), "{text:?}");
    for (line, operation, input) in [
        ("pause r", "PauseRollout", json!({"Name": "r"})),
        ("resume r", "ResumeRollout", json!({"Name": "r"})),
        ("abort r", "AbortRollout", json!({"Name": "r"})),
        ("abort r --reason slow", "AbortRollout", json!({"Name": "r", "Reason": "slow"})),
        ("promote r --reason tested", "PromoteRollout", json!({"Name": "r", "Reason": "tested"})),
    ] {
        let did = did(&format!("pitbird rollout {line}"), &stub).await;
        assert_eq!(did.code, 0, "{did:?}");
        let asked = stub.asked().pop().unwrap();
        assert_eq!((asked.operation, asked.input), (operation, input));
    }
}

#[tokio::test]
async fn rollouts_are_listed_page_by_page() {
    let stub = Stub::start(|asked| match asked.input["NextToken"].as_str() {
        None => Ok(json!({"Rollouts": [rollout("Promoted", 100.0)], "NextToken": "2"})),
        Some(_) => Ok(json!({"Rollouts": [rollout("InProgress", 10.0)]})),
    })
    .await;
    let listed = did("pitbird rollout list --status promoted", &stub).await;
    let expected = "\
Name  Status       Canary %  Target                     Canary         Reason
r     promoted          100  stage prod of REST API a1  deployment d2  because
r     in progress        10  stage prod of REST API a1  deployment d2  because
";
    assert_eq!(listed.out, expected);
    assert_eq!(stub.asked()[1].input, json!({"Status": "Promoted", "NextToken": "2"}));
    let json = did("pitbird rollout list --output json", &stub).await;
    assert_eq!(
        serde_json::from_str::<Json>(&json.out).unwrap()["Rollouts"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn an_error_says_what_and_then_what_to_do() {
    let stub = Stub::start(|_| Err(Fault::new("ResourceNotFoundException", "There is no rollout r."))).await;
    let refused = did("pitbird rollout watch r --interval 1ms", &stub).await;
    assert_eq!(refused.code, 1);
    assert_eq!(refused.err, "pitbird: ResourceNotFoundException: There is no rollout r.");
    assert!(refused.out.is_empty());
    drop(stub);
    let gone = did_at("pitbird rollout list", "http://127.0.0.1:1").await;
    assert_eq!(gone.code, 1);
    assert!(gone.err.starts_with("pitbird: no server answers at http://127.0.0.1:1: "), "{gone:?}");
    assert!(gone.err.contains("\nhint: start a server with `pitbird serve`"), "{gone:?}");
    let tls = did_at("pitbird api sts get-caller-identity", "https://example.com").await;
    assert_eq!(tls.code, 2);
    assert!(tls.err.contains("needs TLS"), "{tls:?}");
}

#[tokio::test]
async fn any_operation_can_be_called() {
    let stub = Stub::start(|_| Ok(json!({"FunctionName": "f", "Version": "2"}))).await;
    let did =
        did(r#"pitbird api lambda publish-version --input {"FunctionName":"f"} --output text"#, &stub).await;
    assert_eq!((did.code, did.out.as_str()), (0, "FunctionName\tf\nVersion\t2\n"));
    assert_eq!(stub.asked()[0].input, json!({"FunctionName": "f"}));
}

#[tokio::test]
async fn what_can_not_be_called_is_a_wrong_use() {
    let stub = Stub::start(|_| Ok(json!({}))).await;
    for (line, words) in [
        ("pitbird api lambada", "hint: did you mean lambda?"),
        ("pitbird api lambda invok", "hint: did you mean invoke?"),
        ("pitbird api lambda invoke --input {", "the input is no JSON"),
        (r#"pitbird api lambda invoke --input {"FunctionNam":"f"}"#, "did you mean FunctionName?"),
        ("pitbird rollout start", "nothing says what is to be rolled out"),
        ("pitbird rollout start /nowhere/at/all", "can't read the rollout file /nowhere/at/all"),
    ] {
        let did = did(line, &stub).await;
        assert_eq!(did.code, 2, "{line}: {did:?}");
        assert!(did.err.contains(words), "{line}: {did:?}");
    }
    assert!(stub.asked().is_empty());
}

#[tokio::test]
async fn a_log_group_is_read_to_its_end() {
    let stub = Stub::start(|asked| {
        let event = |id: u32| {
            json!({"eventId": id.to_string(), "timestamp": 1_793_491_200_000_u64 + u64::from(id),
                                     "message": format!("line {id}\n"), "logStreamName": "s"})
        };
        match asked.input["nextToken"].as_str() {
            None => Ok(json!({"events": [event(1), event(2)], "nextToken": "more"})),
            Some(_) => Ok(json!({"events": [event(2), event(3)]})),
        }
    })
    .await;
    let did = did("pitbird logs tail /aws/lambda/f --since 5m --filter line", &stub).await;
    let expected = "2026-11-01T00:00:00.001Z  s  line 1\n2026-11-01T00:00:00.002Z  s  line 2\n\
                    2026-11-01T00:00:00.003Z  s  line 3\n";
    assert_eq!((did.code, did.out.as_str()), (0, expected));
    let first = &stub.asked()[0].input;
    assert_eq!((&first["logGroupName"], &first["filterPattern"]), (&json!("/aws/lambda/f"), &json!("line")));
    let now_ms =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let since_ms = now_ms - first["startTime"].as_u64().unwrap();
    assert!((300_000..310_000).contains(&since_ms), "{since_ms}");
}

#[tokio::test]
async fn a_followed_group_goes_on_until_nobody_reads() {
    let count = AtomicUsize::new(0);
    let stub = Stub::start(move |_| {
        let at = count.fetch_add(1, Ordering::Relaxed);
        if at == 3 {
            return Err(Fault::new("ResourceNotFoundException", "The log group is gone."));
        }
        let event = json!({"eventId": at.to_string(), "timestamp": at, "message": at.to_string()});
        Ok(json!({"events": [event]}))
    })
    .await;
    let did = did("pitbird logs tail g --follow --output json", &stub).await;
    let messages: Vec<String> = did
        .out
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap()["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(messages, ["0", "1", "2"]);
    assert_eq!(
        (did.code, did.err.as_str()),
        (1, "pitbird: ResourceNotFoundException: The log group is gone.")
    );
}

#[tokio::test]
async fn completions_know_every_command() {
    let stub = Stub::start(|_| Ok(json!({}))).await;
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let did = did(&format!("pitbird completions {shell}"), &stub).await;
        for word in ["rollout", "completions", "endpoint-url", "promote"] {
            assert!(did.out.contains(word), "{shell}: {word}");
        }
    }
}

/// Pages as GetMetricData and ListMetrics give them.
fn measured(asked: &Asked) -> Result<Json, Fault> {
    Ok(match (asked.operation, asked.input["NextToken"].as_str()) {
        ("ListMetrics", None) => json!({
            "Metrics": [{"Namespace": "N", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x\u{1b}[2J"}]}],
            "NextToken": "more",
        }),
        ("ListMetrics", _) => {
            json!({"Metrics": [{"Namespace": "N", "MetricName": "other", "Dimensions": []}]})
        }
        (_, None) => json!({
            "MetricDataResults": [{"Id": "m", "Timestamps": ["2026-01-01T00:00:00Z"], "Values": [1.5], "StatusCode": "PartialData"}],
            "NextToken": "more",
        }),
        (_, _) => json!({
            "MetricDataResults": [{"Id": "m", "Timestamps": ["2026-01-01T00:01:00Z"], "Values": [3], "StatusCode": "Complete"}],
        }),
    })
}

#[tokio::test]
async fn metrics_are_listed_and_shown() {
    let stub = Stub::start(measured).await;
    let listed = did("pitbird metrics list N --dimension d --dimension e=f", &stub).await;
    assert_eq!(
        listed.out, "Namespace  Metric  Dimensions\nN          m       d=x\u{fffd}[2J\nN          other\n",
        "{listed:?}"
    );
    let asked = stub.asked();
    assert_eq!(asked[0].input["Dimensions"], json!([{"Name": "d"}, {"Name": "e", "Value": "f"}]));
    assert_eq!(asked[1].input["NextToken"], "more");
    let text = did("pitbird metrics show N m --dimension d=x --stat Sum --output text", &stub).await;
    assert_eq!(text.out, "2026-01-01T00:00:00.000Z\t1.5\n2026-01-01T00:01:00.000Z\t3\n", "{text:?}");
    let json = did("pitbird metrics show N m --period 5m --output json", &stub).await;
    let json: Json = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["Period"], &json["Datapoints"][1]["Value"]), (&json!(300), &json!(3.0)), "{json}");
    let table = did("pitbird metrics show N m", &stub).await;
    assert!(table.out.starts_with("N m Average\n"), "{table:?}");
    assert!(table.out.ends_with("2 datapoints, lowest 1.5, highest 3, newest 3\n"), "{table:?}");
    let wrong = did("pitbird metrics show N m --period 500ms", &stub).await;
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""), "{wrong:?}");
}

#[tokio::test]
async fn a_metric_without_datapoints_is_told_in_words() {
    let stub =
        Stub::start(|_| Ok(json!({"MetricDataResults": [{"Id": "m", "Timestamps": [], "Values": []}]})))
            .await;
    let did = did("pitbird metrics show N m", &stub).await;
    assert!(did.out.is_empty() && did.err.contains("N m Average: no datapoints\nhint: "), "{did:?}");
}

/// A query that is scheduled, runs, and ends like this.
fn queried(status: &'static str) -> impl Fn(&Asked) -> Result<Json, Fault> + Send + Sync {
    let asked_for = AtomicUsize::new(0);
    move |asked| {
        let row = |message: &str, count: &str| json!([{"field": "@message", "value": message}, {"field": "n", "value": count}, {"field": "@ptr", "value": "p"}]);
        let statistics = json!({"recordsMatched": 2, "recordsScanned": 5, "bytesScanned": 99});
        Ok(match asked.operation {
            "StartQuery" => json!({"queryId": "q"}),
            "StopQuery" => json!({"success": true}),
            _ => match asked_for.fetch_add(1, Ordering::Relaxed) {
                0 => json!({"status": "Scheduled"}),
                1 => json!({"status": "Running"}),
                _ => {
                    json!({"status": status, "results": [row("a\u{1b}b\n", "1"), row("c", "20")], "statistics": statistics})
                }
            },
        })
    }
}

#[tokio::test]
async fn a_query_is_waited_for_and_printed() {
    let stub = Stub::start(queried("Complete")).await;
    let table = did("pitbird logs query stats --group g --group h --limit 5 --since 1h", &stub).await;
    assert_eq!(table.out, "@message   n\na\u{fffd}b        1\nc         20\n", "{table:?}");
    assert_eq!(table.err, "2 rows; 2 of 5 events matched, 99 bytes scanned\n");
    let input = &stub.asked()[0].input;
    assert_eq!((&input["logGroupNames"], &input["limit"]), (&json!(["g", "h"]), &json!(5)));
    let span = input["endTime"].as_i64().unwrap() - input["startTime"].as_i64().unwrap();
    assert_eq!((span, &input["queryString"]), (3600, &json!("stats")));
    let json = did("pitbird logs query stats --group g --output json", &stub).await;
    assert_eq!(serde_json::from_str::<Json>(&json.out).unwrap()["results"][1][0]["value"], "c");
}

#[tokio::test]
async fn a_query_that_fails_or_takes_too_long_is_told() {
    let stub = Stub::start(queried("Failed")).await;
    let failed = did("pitbird logs query stats --group g", &stub).await;
    assert!(failed.code == 1 && failed.err.contains("the query ended as Failed"), "{failed:?}");
    let stub = Stub::start(queried("Running")).await;
    let slow = did("pitbird logs query stats --group g --timeout 100ms", &stub).await;
    assert!(slow.code == 1 && slow.err.contains("the query took longer than 100 ms\nhint: "), "{slow:?}");
    assert_eq!(stub.asked().last().unwrap().operation, "StopQuery");
}
