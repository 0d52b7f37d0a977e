//! Extensions beside functions: what they are told, what the environment waits for, and how their failures end.

use std::time::{Duration, Instant};

use pitbird_invoke::{EventPolicy, Limits};
use pitbird_telemetry::metrics::Stat;

use crate::bench::{Bench, Draft, bash, bash_loop, bench, bench_with, invocation, json, narrow_bench, text};
use crate::metrics::measured;

/// The beginning of an extension in Bash: `ask METHOD PATH BODY HEADER` leaves status, head and body of the answer in `$status`,
/// `$head` and `$body`.
pub const EXTENSION: &str = r#"#!/bin/bash
host=${AWS_LAMBDA_RUNTIME_API%:*} port=${AWS_LAMBDA_RUNTIME_API#*:}
ask() {
    exec 3<>"/dev/tcp/$host/$port"
    printf '%s %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n%s\r\ncontent-length: %d\r\n\r\n%s' "$1" "$2" "$4" "${#3}" "$3" >&3
    reply=$(cat <&3)
    exec 3>&-
    head=${reply%%$'\r\n\r\n'*} body=${reply#*$'\r\n\r\n'} status=${reply#HTTP/1.1 } status=${status%% *}
}
api=/2020-01-01/extension
register() {
    ask POST $api/register "{\"events\":[$1]}" "lambda-extension-name: ${2-${0##*/}}"
    identifier=${head#*lambda-extension-identifier: } identifier="lambda-extension-identifier: ${identifier%%$'\r'*}"
}
event() { ask GET $api/event/next '' "$identifier"; }
"#;

pub const BOTH: &str = r#""INVOKE","SHUTDOWN""#;

/// Of a custom runtime in Bash that hears signals while it waits: to be said before anything is called.
const ATTENTIVE: &str = r#"
call() {
    exec 3<>"/dev/tcp/$host/$port"
    printf '%s /2018-06-01%s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s' "$1" "$2" "${#3}" "$3" >&3
    cat <&3 >/tmp/reply & wait $!
    reply=$(</tmp/reply)
    exec 3>&-
}
trap 'echo asked to end; exit' TERM
"#;

pub type File = (&'static str, String, u32);

pub fn extension(path: &'static str, code: &str) -> File {
    (path, format!("{EXTENSION}{code}"), 0o755)
}

/// Says what it is told, and ends when it is told to.
fn watcher(path: &'static str) -> File {
    let code = format!(
        "register '{BOTH}'; while event; do echo \"${{0##*/}} $body\"; [[ $body == *SHUTDOWN* ]] && exit; done"
    );
    extension(path, &code)
}

fn with(draft: Draft, extensions: Vec<File>) -> Draft {
    Draft { layers: vec![extensions], ..draft }
}

/// What the log has of a certain kind, as JSON where it is an event.
fn lines<'l>(log: &'l [String], begin: &str) -> Vec<&'l str> {
    log.iter().filter_map(|line| line.strip_prefix(begin)).map(str::trim_end).collect()
}

async fn whole_log(bench: &Bench, function: &str) -> Vec<String> {
    bench.logs(&format!("/aws/lambda/{function}")).await.into_iter().flat_map(|(_, log)| log).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_extension_is_told_of_every_phase() {
    let bench = narrow_bench().await;
    let watch = format!(
        r#"
        ask POST $api/register '{{"events":[{BOTH}]}}' $'lambda-extension-name: watcher\r\nlambda-extension-accept-feature: accountId'
        identifier=${{head#*lambda-extension-identifier: }} identifier="lambda-extension-identifier: ${{identifier%%$'\r'*}}"
        echo "registered $status $body"
        echo "variables $AWS_LAMBDA_FUNCTION_NAME [$_HANDLER] $OWN $PWD"
        while event; do
            echo "event $body"
            [[ $head == *lambda-extension-event-identifier:* ]] || echo "no identifier"
            [[ $body == *SHUTDOWN* ]] && exit
        done
    "#
    );
    let code = format!("{ATTENTIVE}while next; do respond \"$event\"; done\n");
    let draft = Draft {
        environment: Some([("OWN".to_owned(), "own".to_owned())].into()),
        ..with(bash("f", &code), vec![extension("extensions/watcher", &watch)])
    };
    let function = bench.create(draft).await;
    let mut ids = Vec::new();
    for event in ["1", "2"] {
        let call = invocation(event);
        ids.push(call.request_id.clone());
        let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
        assert_eq!(text(&outcome), event);
    }
    bench.invoker.shutdown().await;
    let log = bench.log("f").await;
    let registered = r#"{"functionName":"f","functionVersion":"$LATEST","handler":"app.handler","accountId":"000000000000"}"#;
    assert_eq!(lines(&log, "registered "), [format!("200 {registered}")]);
    assert_eq!(lines(&log, "variables "), ["f [] own /"]);
    assert_eq!(lines(&log, "no identifier"), Vec::<&str>::new());
    assert_eq!(lines(&log, "EXTENSION\t"), ["Name: watcher\tState: Ready\tEvents: [INVOKE,SHUTDOWN]"]);
    let events: Vec<serde_json::Value> =
        lines(&log, "event ").into_iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert_eq!(events.len(), 3, "{log:#?}");
    for (event, id) in events.iter().zip(&ids) {
        assert_eq!((&event["eventType"], &event["requestId"]), (&"INVOKE".into(), &id.as_str().into()));
        assert_eq!(event["invokedFunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:f");
        assert_eq!(event["tracing"]["type"], "X-Amzn-Trace-Id");
        assert!(event["tracing"]["value"].as_str().unwrap().starts_with("Root=1-"));
        let left_ms = event["deadlineMs"].as_i64().unwrap() - crate::bench::now_ms();
        assert!((0..=20_000).contains(&left_ms), "{left_ms}");
    }
    assert_eq!(
        (&events[2]["eventType"], &events[2]["shutdownReason"]),
        (&"SHUTDOWN".into(), &"spindown".into())
    );
    let place = |begin: &str| {
        log.iter().position(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("{begin}: {log:#?}"))
    };
    assert!(place("registered") < place("EXTENSION") && place("EXTENSION") < place("START"), "{log:#?}");
    assert!(place("asked to end") < place(r#"event {"eventType":"SHUTDOWN""#), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_does_not_wait_for_extensions_and_the_environment_does() {
    let bench = narrow_bench().await;
    // It is done with an invocation when it can take what it was sent away for.
    let slow = format!("register '{BOTH}'; while event; do sleep 3; echo done; done");
    let files = vec![extension("extensions/slow", &slow)];
    let function = bench.create(with(bash_loop("f", "respond \"$event\""), files)).await;
    let began = Instant::now();
    let first = bench.invoke(&function, "1").await;
    assert!(first.duration_ms < 2900.0, "{first:?}");
    let second = bench.invoke(&function, "2").await;
    assert_eq!((text(&first), text(&second), second.init_ms), ("1", "2", None));
    assert!(began.elapsed() >= Duration::from_secs(3));
    bench.until_log("f", |log| lines(log, "REPORT").len() == 2).await;
    let log = bench.log("f").await;
    let place = |begin: &str| log.iter().position(|line| line.starts_with(begin)).unwrap();
    assert!(place("END") < place("done") && place("done") < place("REPORT"), "{log:#?}");
    for report in lines(&log, "REPORT ") {
        let number = |name: &str| -> f64 {
            let after = report.split(name).nth(1).unwrap();
            after.trim_start().split(' ').next().unwrap().parse().unwrap()
        };
        assert!(number("Billed Duration:") >= 3000.0, "{report}");
        assert!(number("\tDuration:") < 2900.0, "{report}");
    }
    let dimensions = [("FunctionName", "f")];
    let longest = measured(&bench, "PostRuntimeExtensionsDuration", &dimensions, Stat::Maximum).await;
    assert!(longest.is_some_and(|ms| (500.0..10_000.0).contains(&ms)), "{longest:?}");
}

/// Creates a function with an extension, expects its invocation to fail so, and answers its log.
async fn fails(
    bench: &Bench,
    name: &'static str,
    extensions: Vec<File>,
    error_type: &str,
    words: &str,
) -> Vec<String> {
    let draft = Draft { timeout_s: 5, ..with(bash_loop(name, "respond \"$event\""), extensions) };
    let function = bench.create(draft).await;
    let call = invocation("{}");
    let id = call.request_id.clone();
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let error = format!("RequestId: {id} Error: {words}");
    assert_eq!(json(&outcome), serde_json::json!({ "errorType": error_type, "errorMessage": error }));
    let log = whole_log(bench, name).await;
    let said = format!("{error}\n{error_type}\n");
    assert!(log.contains(&said), "{log:#?}");
    let report = format!("\tStatus: error\tError Type: {error_type}\n");
    assert!(log.iter().any(|line| line.starts_with("REPORT") && line.ends_with(&report)), "{log:#?}");
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_fails_with_its_extension() {
    let bench = bench().await;
    let crash = vec![extension("extensions/x", "exit 3"), watcher("extensions/y")];
    let log = fails(&bench, "crash", crash, "Extension.Crash", "exit status 3").await;
    let line = "Name: x\tState: Exited\tEvents: []\tError Type: Extension.Crash";
    assert!(lines(&log, "EXTENSION\t").contains(&line), "{log:#?}");

    let says = format!(
        "register '{BOTH}'; ask POST $api/init/error '{{}}' \"$identifier\"$'\\r\\nlambda-extension-function-error-type: Own.Type'; sleep 60"
    );
    let log =
        fails(&bench, "says", vec![extension("extensions/x", &says)], "Extension.InitError", "Own.Type")
            .await;
    let line = "Name: x\tState: InitError\tEvents: [INVOKE,SHUTDOWN]\tError Type: Extension.InitError";
    assert!(lines(&log, "EXTENSION\t").contains(&line), "{log:#?}");

    let text = vec![("extensions/readme", "no program".to_owned(), 0o644)];
    let words = "fork/exec /opt/extensions/readme: permission denied";
    fails(&bench, "text", text, "Extension.LaunchError", words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_ten_extensions_and_no_more() {
    const PATHS: [&str; 11] = [
        "extensions/a",
        "extensions/b",
        "extensions/c",
        "extensions/d",
        "extensions/e",
        "extensions/f",
        "extensions/g",
        "extensions/h",
        "extensions/i",
        "extensions/j",
        "extensions/k",
    ];
    let bench = bench().await;
    let eleven = PATHS.map(watcher).into();
    let words = "more than 10 extensions in /opt/extensions";
    fails(&bench, "eleven", eleven, "Extension.LaunchError", words).await;
    let draft = bash_loop("ten", "respond \"$event\"");
    let function = bench.create(with(draft, PATHS[..10].iter().copied().map(watcher).collect())).await;
    assert_eq!(text(&bench.invoke(&function, "1").await), "1");
    let log = bench.log("ten").await;
    assert_eq!(lines(&log, "EXTENSION\t").len(), 10, "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_fails_with_its_extension() {
    let bench = bench().await;
    let crash = format!("register '{BOTH}'; event; exit 5");
    let files = vec![watcher("extensions/watcher"), extension("extensions/x", &crash)];
    let draft = bash_loop("crash", "case $event in 1) sleep 60;; esac; respond \"$event\"");
    let function = bench.create(with(draft, files)).await;
    let error = json(&bench.invoke(&function, "1").await);
    assert_eq!(error["errorType"], "Extension.Crash");
    assert!(error["errorMessage"].as_str().unwrap().ends_with("Error: exit status 5"), "{error}");
    bench
        .until_log("crash", |log| log.iter().any(|line| line.contains("\"shutdownReason\":\"failure\"")))
        .await;

    let says = format!(
        "register '{BOTH}'; event; ask POST $api/exit/error '' \"$identifier\"$'\\r\\nlambda-extension-function-error-type: Own.End'; sleep 60"
    );
    let draft = bash_loop("says", "sleep 60");
    let function = bench.create(with(draft, vec![extension("extensions/x", &says)])).await;
    let error = json(&bench.invoke(&function, "1").await);
    assert_eq!(error["errorType"], "Extension.ExitError");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_the_next_invocation_need_not_wait_for_the_end() {
    let bench = bench().await;
    // It ignores that it is told to end.
    let deaf = format!("register '{BOTH}'; while event; do :; done");
    let draft = bash_loop("f", "case $event in 1) exit 7;; esac; respond \"$event\"");
    let function = bench.create(with(draft, vec![extension("extensions/deaf", &deaf)])).await;
    let error = json(&bench.invoke(&function, "1").await);
    assert!(error["errorMessage"].as_str().unwrap().ends_with("exit status 7"), "{error}");
    assert_eq!(text(&bench.invoke(&function, "2").await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_that_keep_the_environment_have_the_functions_time() {
    let limits = Limits { init: Duration::from_millis(300), ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    let silent = with(bash_loop("silent", "respond 1"), vec![extension("extensions/x", "sleep 60")]);
    let function = bench.create(Draft { timeout_s: 1, ..silent }).await;
    assert_eq!(json(&bench.invoke(&function, "1").await)["errorType"], "Sandbox.Timedout");
    let log = whole_log(&bench, "silent").await;
    assert!(lines(&log, "INIT_REPORT").iter().all(|line| line.ends_with("Status: timeout")), "{log:#?}");
    assert_eq!(lines(&log, "EXTENSION\t")[0], "Name: x\tState: Started\tEvents: []");

    let bench = narrow_bench().await;
    let stuck = format!("register '{BOTH}'; event; sleep 60");
    let files = vec![watcher("extensions/watcher"), extension("extensions/x", &stuck)];
    let stuck = with(bash_loop("stuck", "respond \"$event\""), files);
    let function = bench.create(Draft { timeout_s: 1, ..stuck }).await;
    let outcome = bench.invoke(&function, "1").await;
    assert_eq!((text(&outcome), outcome.function_error), ("1", None), "the caller has its answer");
    bench
        .until_log("stuck", |log| log.iter().any(|line| line.contains("\"shutdownReason\":\"timeout\"")))
        .await;
    let log = whole_log(&bench, "stuck").await;
    assert!(log.iter().any(|line| line.ends_with("Task timed out after 1.00 seconds\n\n")), "{log:#?}");
    assert!(lines(&log, "REPORT")[0].ends_with("Status: timeout"), "{log:#?}");
    assert_eq!(text(&bench.invoke(&function, "2").await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internal_extension_is_part_of_the_runtime() {
    let bench = narrow_bench().await;
    let extension = EXTENSION.trim_start_matches("#!/bin/bash");
    let code = r#"
register '"INVOKE","SHUTDOWN"' inside; echo "first $status $body"
register '"INVOKE"' inside; echo "second $status $body"
(trap - TERM; while event; do echo "told $body"; done) &
while next; do register '"INVOKE"' late; echo "late $body"; respond "$event"; done
"#;
    let code = format!("{extension}{ATTENTIVE}{code}");
    let function = bench.create(bash("f", &code)).await;
    for event in ["1", "2"] {
        assert_eq!(text(&bench.invoke(&function, event).await), event);
    }
    bench.invoker.shutdown().await;
    let log = bench.log("f").await;
    let refused = r#"{"errorMessage":"SHUTDOWN: ShutdownEventNotSupportedForInternalExtension","errorType":"Extension.InvalidEventType"}"#;
    assert_eq!(lines(&log, "first "), [format!("403 {refused}")]);
    assert!(lines(&log, "second ")[0].starts_with("200 "), "{log:#?}");
    assert_eq!(lines(&log, "told ").len(), 2, "{log:#?}");
    let late = r#"{"errorMessage":"Extension registration closed already","errorType":"Extension.RegistrationClosed"}"#;
    assert_eq!(lines(&log, "late "), [late, late]);
    assert_eq!(lines(&log, "EXTENSION\t"), ["Name: inside\tState: Ready\tEvents: [INVOKE]"]);
    assert_eq!(lines(&log, "asked to end").len(), 1, "half a second is enough for that: {log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_calls_are_refused_as_aws_refuses_them() {
    let bench = narrow_bench().await;
    let code = format!(
        r#"
        try() {{ ask "$@"; echo "tried $status $body"; }}
        none=00000000-0000-4000-8000-000000000000
        try GET $api/event/next '' 'x: y'
        try GET $api/event/next '' 'lambda-extension-identifier: x'
        try GET $api/event/next '' "lambda-extension-identifier: $none"
        try POST $api/register '{{}}' 'x: y'
        try POST $api/register 'no json' 'lambda-extension-name: x'
        try POST $api/register '{{"events":["INVOKE"],"configurationKeys":["a"]}}' 'lambda-extension-name: x'
        try POST $api/register '{{"events":["OTHER"]}}' 'lambda-extension-name: x'
        register '{BOTH}'
        try POST $api/init/error '' "$identifier"
        try POST $api/nothing '' "$identifier"
        try DELETE $api/register '' "$identifier"
        while event; do :; done
    "#
    );
    let files = vec![extension("extensions/x", &code)];
    let function = bench.create(with(bash_loop("f", "respond \"$event\""), files)).await;
    assert_eq!(text(&bench.invoke(&function, "1").await), "1");
    let log = bench.log("f").await;
    let types: Vec<String> = lines(&log, "tried ")
        .into_iter()
        .map(|line| {
            let (status, body) = line.split_once(' ').unwrap();
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(body["errorMessage"].is_string(), "{line}");
            format!("{status} {}", body["errorType"].as_str().unwrap())
        })
        .collect();
    let expected = [
        "403 Extension.MissingExtensionIdentifier",
        "403 Extension.InvalidExtensionIdentifier",
        "403 Extension.UnknownExtensionIdentifier",
        "403 Extension.InvalidExtensionName",
        "403 InvalidRequestFormat",
        "403 InvalidRequestFormat",
        "403 Extension.InvalidEventType",
        "403 Extension.MissingHeader",
        "404 NotFound",
        "404 NotFound",
    ];
    assert_eq!(types, expected, "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_inside_an_invocation_has_its_extensions_told() {
    let limits = Limits { init: Duration::from_millis(300), environments_max: 1, ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    let slow = format!("sleep 0.6; register '{BOTH}'; while event; do echo \"told $body\"; done");
    let files = vec![extension("extensions/slow", &slow)];
    let function = bench.create(with(bash_loop("f", "respond \"$event\""), files)).await;
    let mut ids = Vec::new();
    for event in ["1", "2"] {
        let call = invocation(event);
        ids.push(call.request_id.clone());
        let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
        assert_eq!((text(&outcome), outcome.init_ms), (event, None));
    }
    bench.until_log("f", |log| lines(log, "told ").len() == 2 && lines(log, "REPORT").len() == 2).await;
    let log = bench.log("f").await;
    for (told, id) in lines(&log, "told ").into_iter().zip(&ids) {
        assert!(told.contains(id.as_str()), "{log:#?}");
    }
    assert!(lines(&log, "INIT_REPORT")[0].ends_with("Phase: init\tStatus: timeout"), "{log:#?}");
    let states: Vec<_> = lines(&log, "EXTENSION\t").into_iter().map(|line| line.contains("Ready")).collect();
    assert_eq!(states, [false, true], "{log:#?}");
}
