//! The Telemetry API: what subscribers are sent, and that those who don't listen harm nobody.

use std::collections::BTreeMap;

use pitbird_invoke::Limits;
use serde_json::{Value, json};

use crate::bench::{
    Bench, Draft, bash_loop, bench_with, has, invocation, json as body, narrow_bench, python, text,
};
use crate::extensions::{BOTH, extension};

/// An extension that subscribes so, says what came of it, and then follows the invocations.
fn subscriber(asked: &Value) -> Vec<(&'static str, String, u32)> {
    subscriber_by("/2022-07-01/telemetry", asked)
}

fn subscriber_by(api: &str, asked: &Value) -> Vec<(&'static str, String, u32)> {
    let code = format!(
        r#"
        register '{BOTH}'
        ask PUT {api} '{asked}' "$identifier"
        echo "subscribed $status $body"
        while event; do [[ $body == *SHUTDOWN* ]] && exit; echo line of the extension; done
    "#
    );
    vec![extension("extensions/subscriber", &code)]
}

fn asked(types: &[&str]) -> Value {
    json!({
        "schemaVersion": "2022-12-13", "types": types,
        "buffering": { "maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25 },
        "destination": { "protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/events" },
    })
}

/// A function that listens where the extension wants telemetry to be sent. It answers all that came once there is an event of the
/// type that it is asked for.
const LISTENER: &str = r#"
import http.server, json, threading, socket
events, came = [], threading.Condition()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        batch = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/events" and self.headers["content-type"] == "application/json", self.path
        with came:
            events.extend(batch)
            came.notify_all()
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("sandbox.localdomain", 8080), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
def handler(event, context):
    print("line of the function")
    with came:
        came.wait_for(lambda: any(e["type"] == event for e in events), 15)
    return events
"#;

/// As [`LISTENER`], for lines over TCP; tells how many connections there were in events of its own.
const LINES: &str = r#"
import json, socket, threading
events, came = [], threading.Condition()
listener = socket.create_server(("sandbox.localdomain", 8080))
def take():
    while True:
        connection, _ = listener.accept()
        events.append({"type": "connection"})
        with connection, connection.makefile("r", newline="\n") as lines:
            for line in lines:
                with came:
                    events.append(json.loads(line))
                    came.notify_all()
                if CLOSES:
                    break
threading.Thread(target=take, daemon=True).start()
def handler(event, context):
    print("line of the function")
    with came:
        came.wait_for(lambda: any(e["type"] == event for e in events), 15)
    return events
"#;

async fn invoke(bench: &Bench, function: &pitbird_snapshot::Function, event: &str) -> (String, Value) {
    let call = invocation(&json!(event).to_string());
    let id = call.request_id.clone();
    let outcome = bench.invoker.invoke(function, None, 0.0, call).await.unwrap();
    assert_eq!(outcome.function_error, None, "{}", text(&outcome));
    (id, body(&outcome))
}

/// The records of all events of a type.
fn records(events: &Value, name: &str) -> Vec<Value> {
    let events = events.as_array().unwrap().iter();
    events.filter(|event| event["type"] == name).map(|event| event["record"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_is_sent_what_happens() {
    let bench = narrow_bench().await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let layers = vec![subscriber(&asked(&["platform", "function", "extension"]))];
    let function = bench.create(Draft { layers, ..python("f", LISTENER) }).await;
    let (first, _) = invoke(&bench, &function, "function").await;
    let (second, events) = invoke(&bench, &function, "platform.report").await;

    let log = bench.log("f").await;
    assert!(log.contains(&"subscribed 200 \"OK\"\n".to_owned()), "{log:#?}");
    let line = "TELEMETRY\tName: subscriber\tState: Subscribed\tTypes: [Platform, Function, Extension]\n";
    assert!(log.contains(&line.to_owned()), "{log:#?}");

    let start = &records(&events, "platform.initStart")[0];
    assert_eq!((&start["phase"], &start["functionName"]), (&json!("init"), &json!("f")));
    assert_eq!(
        (&start["initializationType"], &start["functionVersion"]),
        (&json!("on-demand"), &json!("$LATEST"))
    );
    let subscription = json!({ "name": "subscriber", "state": "Subscribed", "types": ["platform", "function", "extension"] });
    assert_eq!(records(&events, "platform.telemetrySubscription"), [subscription]);
    let done = json!({ "initializationType": "on-demand", "phase": "init", "status": "success" });
    assert_eq!(records(&events, "platform.initRuntimeDone"), [done]);
    let standing = json!({ "name": "subscriber", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"] });
    assert_eq!(records(&events, "platform.extension"), [standing]);
    let report = &records(&events, "platform.initReport")[0];
    assert!(
        report["metrics"]["durationMs"].as_f64().unwrap() > 0.0 && report["status"] == "success",
        "{report}"
    );

    let starts = records(&events, "platform.start");
    assert_eq!((&starts[0]["requestId"], &starts[1]["requestId"]), (&json!(first), &json!(second)));
    assert_eq!(
        (&starts[0]["version"], &starts[0]["tracing"]["type"]),
        (&json!("$LATEST"), &json!("X-Amzn-Trace-Id"))
    );
    let done = &records(&events, "platform.runtimeDone")[0];
    assert_eq!((&done["requestId"], &done["status"]), (&json!(first), &json!("success")));
    assert!(done["metrics"]["producedBytes"].as_u64().unwrap() > 2, "{done}");
    let spans = done["spans"].as_array().unwrap();
    let names: Vec<&str> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["responseLatency", "responseDuration", "runtimeOverhead"]);
    let report = &records(&events, "platform.report")[0];
    assert_eq!((&report["requestId"], &report["status"]), (&json!(first), &json!("success")));
    for metric in ["durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs"] {
        assert!(report["metrics"][metric].is_number(), "{report}");
    }
    assert_eq!(records(&events, "function")[0], "line of the function");
    let from_extension = records(&events, "extension");
    assert!(from_extension.contains(&json!("subscribed 200 \"OK\"")), "{from_extension:?}");
    assert!(from_extension.contains(&json!("line of the extension")), "{from_extension:?}");
    let kinds: Vec<&str> =
        events.as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    let place = |kind: &str| kinds.iter().position(|other| *other == kind).unwrap();
    assert!(place("platform.runtimeDone") < place("platform.report"), "{kinds:?}");
    assert_eq!(place("platform.initStart"), 0, "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_asked_for_is_sent() {
    let bench = narrow_bench().await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let function = bench
        .create(Draft { layers: vec![subscriber(&asked(&["function"]))], ..python("f", LISTENER) })
        .await;
    let (_, events) = invoke(&bench, &function, "function").await;
    assert!(events.as_array().unwrap().iter().all(|event| event["type"] == "function"), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_obeyed_is_refused() {
    let bench = narrow_bench().await;
    let changed = |path: &str, value: Value| {
        let mut asked = asked(&["platform"]);
        *asked.pointer_mut(path).unwrap() = value;
        asked.to_string()
    };
    let bodies = BTreeMap::from([
        ("items", changed("/buffering/maxItems", json!(1))),
        ("tcp", changed("/destination/protocol", json!("TCP"))),
        ("host", changed("/destination/URI", json!("http://169.254.169.254/"))),
        ("good", asked(&["platform"]).to_string()),
        ("twice", asked(&["platform"]).to_string()),
        ("other", asked(&["function"]).to_string()),
    ]);
    let mut code = format!("register '{BOTH}'\n");
    for name in ["items", "tcp", "host", "good", "twice", "other"] {
        let body = &bodies[name];
        code += &format!(
            "ask PUT /2022-07-01/telemetry '{body}' \"$identifier\"; echo \"tried {name} $status $body\"\n"
        );
    }
    code += r#"
        ask PUT /2022-07-01/telemetry '{}' 'lambda-extension-identifier: 00000000-0000-4000-8000-000000000000'
        echo "tried invalid $status $body"
        ask PUT /2022-07-01/telemetry '{}' 'x: y'; echo "tried nobody $status $body"
        ask PUT /2020-08-15/logs '{}' "$identifier"; echo "tried logs $status $body"
    "#;
    code += r#"
        ask PUT /2020-08-15/logs '{"types":["platform"],"destination":{"protocol":"TCP","port":1}}' "$identifier"
        echo "tried both $status $body"
        event
        ask PUT /2020-08-15/logs '{"types":["platform"],"destination":{"protocol":"TCP","port":1}}' "$identifier"
        echo "tried late-logs $status $body"
    "#;
    code += &format!(
        "ask PUT /2022-07-01/telemetry '{}' \"$identifier\"; echo \"tried late $status $body\"\nwhile event; do :; done",
        bodies["good"]
    );
    let layers = vec![vec![extension("extensions/x", &code)]];
    let function = bench.create(Draft { layers, ..bash_loop("f", "respond \"$event\"") }).await;
    assert_eq!(text(&bench.invoke(&function, "1").await), "1");
    bench.until_log("f", |log| log.iter().any(|line| line.starts_with("tried late "))).await;
    let log = bench.log("f").await;
    let tried: BTreeMap<&str, &str> =
        log.iter().filter_map(|line| line.strip_prefix("tried ")?.trim_end().split_once(' ')).collect();
    let expect = |name: &str, begin: &str, word: &str| {
        assert!(tried[name].starts_with(begin) && tried[name].contains(word), "{name}: {}", tried[name]);
    };
    expect("items", "400 ", "buffering.maxItems is 1, not from 1000 to 10000");
    expect("items", "400 ", "\"errorType\":\"ValidationError\"");
    expect("tcp", "400 ", "TCP");
    expect("host", "400 ", "another host");
    expect("good", "200 ", "\"OK\"");
    expect("twice", "200 ", "\"OK\"");
    expect("other", "400 ", "has subscribed already, to something else, by the Telemetry API");
    expect("both", "400 ", "has subscribed already, to something else, by the Telemetry API");
    expect("late-logs", "403 ", "Logs.SubscriptionClosed");
    expect("late-logs", "403 ", "Logs API subscription is closed already");
    expect("late", "403 ", "Telemetry API subscription is closed already");
    expect("invalid", "400 ", "missing field");
    expect("nobody", "403 ", "Extension.MissingExtensionIdentifier");
    expect("logs", "400 ", "Logs.ValidationError");
    expect("late", "403 ", "Telemetry.SubscriptionClosed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_does_not_listen_harms_nobody() {
    let limits = Limits { environments_max: 1, output_bytes_per_s: 64 << 20, ..Limits::default() };
    let bench = bench_with(limits, pitbird_invoke::EventPolicy::default()).await;
    if !has(&bench, "python3.11").await {
        return;
    }
    // It takes connections and never reads from them; later it does, and is told what it has lost.
    let code = r#"
import json, socket, threading
listener = socket.create_server(("sandbox.localdomain", 8080))
kept = []
def hold():
    while True:
        kept.append(listener.accept())
threading.Thread(target=hold, daemon=True).start()
def handler(event, context):
    if event == "flood":
        for number in range(20000):
            print("x" * 100)
    return event
"#;
    let layers = vec![subscriber(&asked(&["platform", "function"]))];
    let function = bench.create(Draft { layers, memory_mib: 256, ..python("f", code) }).await;
    for event in ["\"a\"", "\"flood\"", "\"flood\"", "\"b\""] {
        let outcome = bench.invoke(&function, event).await;
        assert_eq!((text(&outcome), outcome.function_error), (event, None));
        assert!(outcome.duration_ms < 10_000.0, "{outcome:?}");
    }
    let log = bench.log("f").await;
    assert!(
        log.iter().filter(|line| line.starts_with("xxx")).count() > 9000,
        "the log is not the subscriber's"
    );
    let began = std::time::Instant::now();
    bench.invoker.shutdown().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_slow_subscriber_loses_is_told() {
    let limits = Limits { environments_max: 1, output_bytes_per_s: 64 << 20, ..Limits::default() };
    let bench = bench_with(limits, pitbird_invoke::EventPolicy::default()).await;
    if !has(&bench, "python3.11").await {
        return;
    }
    // Nobody listens until the flood is over.
    let code = LISTENER.replace("server = http", "def serve():\n  server = http").replace(
        "threading.Thread(target=server.serve_forever, daemon=True).start()",
        "  threading.Thread(target=server.serve_forever, daemon=True).start()",
    );
    let code = code.replace(
        "    print(\"line of the function\")\n",
        "    for number in range(20000): print('x' * 100)\n    serve()\n",
    );
    let layers = vec![subscriber(&asked(&["function"]))];
    let function = bench.create(Draft { layers, ..python("f", &code) }).await;
    let (_, events) = invoke(&bench, &function, "platform.logsDropped").await;
    let lost = &records(&events, "platform.logsDropped")[0];
    // How much of it is told at first depends on how far the flood was read by then.
    let records = lost["droppedRecords"].as_u64().unwrap();
    assert!(records > 0 && lost["droppedBytes"].as_u64().unwrap() > 100 * records, "{lost}");
    assert!(lost["reason"].as_str().unwrap().contains("fallen behind"), "{lost}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_been_sent_all_is_not_frozen_yet() {
    let limits = Limits { freeze_after: std::time::Duration::from_millis(1), ..Limits::default() };
    let bench = bench_with(limits, Default::default()).await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let mut patient = asked(&["platform"]);
    patient["buffering"]["timeoutMs"] = json!(300);
    let function = bench.create(Draft { layers: vec![subscriber(&patient)], ..python("f", LISTENER) }).await;
    // What takes longer than that, and than a second try.
    let slow =
        bench.create(python("slow", "import time\ndef handler(event, context):\n    time.sleep(1)\n")).await;
    let (first, _) = invoke(&bench, &function, "platform.start").await;
    bench.invoke(&slow, "{}").await;
    let (_, events) = invoke(&bench, &function, "platform.report").await;
    let reports = records(&events, "platform.report");
    let of_first = reports.iter().filter(|report| report["requestId"] == first).count();
    assert_eq!(of_first, 1, "{reports:?}");
}

fn over_tcp(types: &[&str]) -> Value {
    let mut over_tcp = asked(types);
    over_tcp["destination"] = json!({ "protocol": "TCP", "port": 8080 });
    over_tcp
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_over_one_connection() {
    let bench = narrow_bench().await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let layers = vec![subscriber(&over_tcp(&["platform", "function"]))];
    let code = LINES.replace("CLOSES", "False");
    let function = bench.create(Draft { layers, ..python("f", &code) }).await;
    let (first, _) = invoke(&bench, &function, "function").await;
    let (_, events) = invoke(&bench, &function, "platform.report").await;
    assert_eq!(records(&events, "platform.report")[0]["requestId"], first);
    assert_eq!(records(&events, "platform.initStart").len(), 1);
    assert_eq!(records(&events, "function")[0], "line of the function");
    assert_eq!(records(&events, "connection").len(), 1, "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_closed_is_followed_by_another() {
    let bench = narrow_bench().await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let layers = vec![subscriber(&over_tcp(&["function"]))];
    let code = LINES.replace("CLOSES", "True");
    let function = bench.create(Draft { layers, ..python("f", &code) }).await;
    // What was in the same batch as a first line is lost with the connection.
    invoke(&bench, &function, "function").await;
    let mut connections = 0;
    for _ in 0..20 {
        let (_, events) = invoke(&bench, &function, "function").await;
        connections = records(&events, "connection").len();
        if connections > 1 {
            break;
        }
    }
    assert!(connections > 1, "only one connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_api_has_events_of_its_own() {
    let bench = narrow_bench().await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let mut older = asked(&["platform", "function"]);
    older.as_object_mut().unwrap().remove("schemaVersion");
    let mut newer = older.clone();
    newer["schemaVersion"] = json!("2021-03-18");
    for (name, asked, has_runtime_done) in [("older", older, false), ("newer", newer, true)] {
        let layers = vec![subscriber_by("/2020-08-15/logs", &asked)];
        let function = bench.create(Draft { layers, ..python(name, LISTENER) }).await;
        let (first, _) = invoke(&bench, &function, "function").await;
        let (_, events) = invoke(&bench, &function, "platform.report").await;
        let log = bench.log(name).await;
        assert!(log.contains(&"subscribed 200 \"OK\"\n".to_owned()), "{log:#?}");
        let line = "LOGS\tName: subscriber\tState: Subscribed\tTypes: [Platform, Function]\n";
        assert!(log.contains(&line.to_owned()), "{log:#?}");
        let subscribed =
            json!({ "name": "subscriber", "state": "Subscribed", "types": ["platform", "function"] });
        assert_eq!(records(&events, "platform.logsSubscription"), [subscribed]);
        let start = json!({ "requestId": first, "version": "$LATEST" });
        assert_eq!(records(&events, "platform.start")[0], start);
        assert_eq!(records(&events, "platform.end")[0], json!({ "requestId": first }));
        let report = &records(&events, "platform.report")[0];
        assert!(
            report["metrics"]["initDurationMs"].is_number() && report.get("status").is_none(),
            "{report}"
        );
        assert_eq!(records(&events, "function")[0], "line of the function\n");
        let done = json!({ "requestId": first, "status": "success" });
        let expected = if has_runtime_done { vec![done] } else { Vec::new() };
        assert_eq!(records(&events, "platform.runtimeDone"), expected);
        assert!(records(&events, "platform.initStart").is_empty(), "{events}");
    }
}
