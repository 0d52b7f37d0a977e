//! What an invocation leaves in its log.

use std::sync::Arc;

use pitbird_names::VersionId;

use crate::bench::{Bench, Draft, bash_loop, bench, has, invocation, narrow_bench, node, python, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_environments_log_has_lambdas_lines_in_order() {
    let bench = narrow_bench().await;
    let function = bench.create(bash_loop("f", "echo \"event $event\"; echo oops >&2; respond 1")).await;
    let mut ids = Vec::new();
    for event in ["1", "2"] {
        let call = invocation(event);
        ids.push(call.request_id.clone());
        bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    }
    let logs = bench.logs("/aws/lambda/f").await;
    let (stream, log) = &logs[0];
    assert_eq!(logs.len(), 1);
    let (date, rest) = stream.split_once('[').unwrap();
    assert_eq!((date.len(), date.matches('/').count()), ("2026/11/23/".len(), 3));
    let hex = rest.strip_prefix("$LATEST]").unwrap();
    assert!(hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{stream}");

    assert!(log[0].starts_with("INIT_START Runtime Version: provided:al2023.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:"), "{log:?}");
    assert!(log[0].ends_with('\n'));
    for (at, (id, event)) in [1, 6].into_iter().zip(ids.iter().zip(["1", "2"])) {
        assert_eq!(log[at], format!("START RequestId: {id} Version: $LATEST\n"));
        assert_eq!(log[at + 1], format!("event {event}\n"));
        assert_eq!(log[at + 2], "oops\n");
        assert_eq!(log[at + 3], format!("END RequestId: {id}\n"));
        let report = &log[at + 4];
        assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report}");
        assert!(report.contains(" ms\tMemory Size: 256 MB\tMax Memory Used: ") && report.ends_with("\t\n"));
        assert!(!report.contains("Max Memory Used: 0 MB"), "{report}");
        assert_eq!(report.contains("\tInit Duration: "), event == "1", "only the first: {report}");
    }
    assert_eq!(log.len(), 11);
}

/// What a function writes before it answers stands before `END`, also when many answer at once.
#[tokio::test(flavor = "multi_thread")]
async fn lines_stay_with_their_invocation_in_a_crowd() {
    const CALLERS: usize = 16;
    const CALLS: usize = 50;
    let bench = Arc::new(bench().await);
    let function = bench.create(bash_loop("f", "echo \"event $event\"; respond 1")).await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (bench, function) = (bench.clone(), function.clone());
        callers.spawn(async move {
            for _ in 0..CALLS {
                bench.invoke(&function, "1").await;
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let mut count = 0;
    for (stream, log) in bench.logs("/aws/lambda/f").await {
        let kinds: Vec<&str> = log.iter().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
        for lines in kinds.chunks(4) {
            assert_eq!(lines, ["START", "event", "END", "REPORT"], "{stream}: {log:?}");
            count += 1;
        }
    }
    assert_eq!(count, CALLERS * CALLS);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_is_this_invocations_log() {
    let bench = narrow_bench().await;
    let function = bench.create(bash_loop("f", "echo \"event $event\"; respond 1")).await;
    bench.invoke(&function, "1").await;
    let mut call = invocation("2");
    call.wants_log_tail = true;
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let tail = String::from_utf8(outcome.log_tail.clone().unwrap().to_vec()).unwrap();
    assert!(tail.starts_with("START RequestId: ") && tail.contains("\nevent 2\nEND "), "{tail}");
    assert!(tail.ends_with("\t\n") && !tail.contains("event 1"), "{tail}");
    let outcome = bench.invoke(&function, "3").await;
    assert_eq!((text(&outcome), &outcome.log_tail), ("1", &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_ones_own_names_the_function_in_its_streams() {
    let bench = bench().await;
    let draft = Draft { group: Some("mine"), version: VersionId::Number(3), ..bash_loop("f", "respond 1") };
    let function = bench.create(draft).await;
    let third = pitbird_names::Qualifier::Version(VersionId::Number(3));
    bench.try_invoke(&function, Some(&third), 0.0, "{}").await.unwrap();
    let logs = bench.logs("mine").await;
    assert!(logs[0].0.contains("/f[3]"), "{}", logs[0].0);
    assert!(logs[0].1[1].ends_with("Version: 3\n"));
}

/// The lines of a function that logs in JSON, all but the moments in them.
async fn json_log(bench: &Bench) -> Vec<serde_json::Value> {
    let lines = bench.log("f").await;
    let read = lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")));
    let mut lines: Vec<serde_json::Value> = read.collect();
    for line in &mut lines {
        let object = line.as_object_mut().unwrap();
        let moment = object.remove("time").or_else(|| object.remove("timestamp")).expect("a moment");
        assert!(moment.as_str().is_some_and(|moment| moment.ends_with('Z')), "{moment}");
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn json_logs_tell_the_same() {
    let bench = narrow_bench().await;
    let body = r#"echo '{"level": "debug", "a": 1}'; echo '{"timestamp": "2026-01-01T00:00:00Z", "level": "INFO", "a": 2}'; respond 1"#;
    let draft = Draft { json_levels: Some(("INFO", "INFO")), ..bash_loop("f", body) };
    let function = bench.create(draft).await;
    let call = invocation("1");
    let id = call.request_id.clone();
    bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let log = json_log(&bench).await;
    let types: Vec<_> = log.iter().map(|line| line["type"].as_str().unwrap_or("own")).collect();
    assert_eq!(types, ["platform.initStart", "platform.start", "own", "platform.report"]);
    assert_eq!(log[0]["record"]["functionName"], "f");
    assert_eq!(log[1]["record"], serde_json::json!({"requestId": id, "version": "$LATEST"}));
    assert_eq!(log[2], serde_json::json!({"level": "INFO", "a": 2}));
    let (report, metrics) = (&log[3]["record"], &log[3]["record"]["metrics"]);
    assert_eq!((&report["requestId"], &report["status"]), (&id.into(), &"success".into()));
    assert!(metrics["durationMs"].as_f64() > Some(0.0) && metrics["initDurationMs"].as_f64() > Some(0.0));
    assert_eq!(metrics["memorySizeMB"], 256);
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_loggers_write_json() {
    let bench = narrow_bench().await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let code = r#"
import logging
log = logging.getLogger("birds")
def handler(event, context):
    log.debug("not wanted")
    log.info("seen %d", 3, extra={"kind": "wren"})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("went wrong")
    raise KeyError("end")
"#;
    let draft = Draft { json_levels: Some(("WARN", "INFO")), ..python("f", code) };
    let function = bench.create(draft).await;
    let call = invocation("1");
    let id = call.request_id.clone();
    bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let mut log = json_log(&bench).await;
    assert_eq!(log.len(), 3, "{log:?}");
    let info = serde_json::json!({
        "level": "INFO", "message": "seen 3", "logger": "birds", "requestId": id, "kind": "wren",
    });
    assert_eq!(log[0], info);
    let trace = log[1]["stackTrace"].take();
    assert!(trace.as_array().is_some_and(|lines| lines.len() > 2), "{trace}");
    assert_eq!((&log[1]["errorType"], &log[1]["level"]), (&"ZeroDivisionError".into(), &"ERROR".into()));
    assert_eq!((&log[2]["errorType"], &log[2]["errorMessage"]), (&"KeyError".into(), &"'end'".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_console_writes_json() {
    let bench = narrow_bench().await;
    if !has(&bench, "nodejs20.x").await {
        return;
    }
    let code = r#"
exports.handler = async () => {
  console.debug('not wanted');
  console.log('seen %d', 3, { a: 1 });
  console.warn({ kind: 'wren' });
  const round = {}; round.round = round;
  console.info(round);
  throw new TypeError('end');
};
"#;
    let draft = Draft { json_levels: Some(("WARN", "INFO")), ..node("f", code) };
    let function = bench.create(draft).await;
    let call = invocation("1");
    let id = call.request_id.clone();
    bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let log = json_log(&bench).await;
    let line = |level: &str, message: serde_json::Value| serde_json::json!({"level": level, "requestId": id, "message": message});
    assert_eq!(log[0], line("INFO", "seen 3 { a: 1 }".into()));
    assert_eq!(log[1], line("WARN", serde_json::json!({"kind": "wren"})));
    assert!(log[2]["message"].as_str().is_some_and(|text| text.contains("[Circular")), "{}", log[2]);
    let error = &log[3]["message"];
    assert_eq!((&error["errorType"], &error["errorMessage"]), (&"TypeError".into(), &"end".into()));
    assert!(error["stackTrace"].is_array(), "{error}");
    assert_eq!(log.len(), 4, "{log:?}");
}
