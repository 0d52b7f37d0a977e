//! Node functions, as under AWS's own runtime client.

use crate::bench::{Bench, Draft, has, invocation, json, narrow_bench, node, text};

pub async fn door() -> Option<Bench> {
    let bench = narrow_bench().await;
    has(&bench, "nodejs20.x").await.then_some(bench)
}

fn module(name: &'static str, file: &'static str, code: &str) -> Draft {
    Draft { files: vec![(file, code.to_owned(), 0o644)], ..node(name, "") }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_has_its_event_its_context_and_its_state() {
    let Some(bench) = door().await else { return };
    let code = r#"
let count = 0;
exports.handler = async (event, context) => ({
  count: ++count, event, id: context.awsRequestId, name: context.functionName, version: context.functionVersion,
  memory: context.memoryLimitInMB, arn: context.invokedFunctionArn, group: context.logGroupName,
  stream: context.logStreamName === process.env.AWS_LAMBDA_LOG_STREAM_NAME, client: context.clientContext,
  left: context.getRemainingTimeInMillis() > 19000, waits: context.callbackWaitsForEmptyEventLoop,
  trace: process.env._X_AMZN_TRACE_ID, runtime: process.env.AWS_EXECUTION_ENV, cwd: process.cwd(),
});
"#;
    let function = bench.create(node("f", code)).await;
    let mut call = invocation(r#"{"a": [1, "ü"]}"#);
    call.trace_id = Some("Root=1-2-3".to_owned());
    call.client_context = Some(r#"{"custom": "ü"}"#.to_owned());
    let id = call.request_id.clone();
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let expected = serde_json::json!({
        "count": 1, "event": {"a": [1, "ü"]}, "id": id, "name": "f", "version": "$LATEST", "memory": "256",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "group": "/aws/lambda/f", "stream": true,
        "client": {"custom": "ü"}, "left": true, "waits": true, "trace": "Root=1-2-3",
        "runtime": "AWS_Lambda_nodejs20.x", "cwd": "/var/task",
    });
    assert_eq!(json(&outcome), expected);
    assert_eq!(json(&bench.invoke(&function, "").await)["count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_module_and_handler_answers() {
    let Some(bench) = door().await else { return };
    let package = |name, file, code: &str| {
        let mut draft = module(name, file, code);
        draft.files.push(("package.json", r#"{"type":"module"}"#.to_owned(), 0o644));
        draft
    };
    for (draft, answer) in [
        (module("a", "app.mjs", "export const handler = async () => 'mjs'"), r#""mjs""#),
        (
            package(
                "b",
                "app.js",
                "import fs from 'fs'; export const handler = async () => typeof fs.readFileSync",
            ),
            r#""function""#,
        ),
        (package("c", "app.cjs", "exports.handler = async () => 'cjs'"), r#""cjs""#),
        (
            node(
                "d",
                "exports.handler = (event, context, callback) => setTimeout(() => callback(null, 'late'), 5)",
            ),
            r#""late""#,
        ),
        (node("e", "exports.handler = (event, context) => context.succeed('old')"), r#""old""#),
        (node("g", "exports.handler = () => {}"), "null"),
        (node("h", "exports.handler = async () => undefined"), "null"),
        (
            Draft {
                handler: "sub/app.deep.er",
                ..module("i", "sub/app.js", "exports.deep = { er: async () => 1 }")
            },
            "1",
        ),
        (
            module(
                "j",
                "app.mjs",
                "const name = await Promise.resolve('top'); export const handler = async () => name",
            ),
            r#""top""#,
        ),
    ] {
        let name = draft.name;
        let function = bench.create(draft).await;
        for _ in 0..2 {
            let outcome = bench.invoke(&function, "{}").await;
            assert_eq!((text(&outcome), outcome.function_error), (answer, None), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_waits_for_the_loop_unless_told_otherwise() {
    let Some(bench) = door().await else { return };
    let code = r#"
let done = 0;
exports.handler = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = event;
  setTimeout(() => done++, event ? 30 : 15000);
  callback(null, done);
};
exports.count = async () => done;
"#;
    let function = bench.create(node("waits", code)).await;
    let outcome = bench.invoke(&function, "true").await;
    assert!(outcome.duration_ms >= 30.0, "{}", outcome.duration_ms);
    assert_eq!(text(&bench.invoke(&function, "true").await), "1");
    let outcome = bench.invoke(&function, "false").await;
    assert!(outcome.duration_ms < 15_000.0, "{}", outcome.duration_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_told_with_its_trace_and_the_next_call_works() {
    let Some(bench) = door().await else { return };
    let code = r#"
class Mine extends Error { constructor(m) { super(m); this.name = 'Mine'; } }
exports.handler = (event, context, callback) => {
  if (event === 'throw') throw new Mine('no ü');
  if (event === 'callback') return callback('only words');
  if (event === 'reject') return Promise.reject(new TypeError('rejected'));
  if (event === 'circle') { const a = {}; a.a = a; return Promise.resolve(a); }
  callback(null, 'fine');
};
"#;
    let function = bench.create(node("f", code)).await;
    for (event, error_type, message) in [
        ("throw", "Mine", "no ü"),
        ("callback", "string", "only words"),
        ("reject", "TypeError", "rejected"),
        ("circle", "Error", "Unable to stringify response body"),
    ] {
        let outcome = bench.invoke(&function, &format!("\"{event}\"")).await;
        assert_eq!(outcome.function_error, Some("Unhandled"), "{event}");
        let error = json(&outcome);
        assert_eq!(
            (&error["errorType"], &error["errorMessage"]),
            (&error_type.into(), &message.into()),
            "{event}"
        );
        assert!(error["trace"].is_array(), "{event}");
        assert_eq!(text(&bench.invoke(&function, "1").await), "\"fine\"");
    }
    let error = json(&bench.invoke(&function, "\"throw\"").await);
    let trace = &error["trace"];
    assert_eq!(trace[0], "Mine: no ü");
    assert!(trace[1].as_str().unwrap().contains("/var/task/app.js:4"), "{trace}");
    assert_eq!(*bench.invoker.environments().borrow(), 1, "one process did it all");
    let log = bench.log("f").await;
    let line =
        log.iter().find(|line| line.contains("\tERROR\tInvoke Error \t{\"errorType\":\"Mine\"")).unwrap();
    assert!(line.ends_with("}\n"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_catches_ends_the_process_with_an_error() {
    let Some(bench) = door().await else { return };
    for (name, code, error_type, message) in [
        (
            "a",
            "exports.handler = () => { setTimeout(() => { throw new RangeError('late') }, 1) }",
            "RangeError",
            "late",
        ),
        (
            "b",
            "exports.handler = () => { Promise.reject(new Error('lost')) }",
            "Runtime.UnhandledPromiseRejection",
            "Error: lost",
        ),
        ("c", "exports.handler = async () => { await new Promise(() => {}) }", "Runtime.NodeJsExit", ""),
    ] {
        let function = bench.create(node(name, code)).await;
        let error = json(&bench.invoke(&function, "{}").await);
        assert_eq!(error["errorType"], error_type, "{name}: {error}");
        assert!(error["errorMessage"].as_str().unwrap().starts_with(message), "{name}: {error}");
        let error = json(&bench.invoke(&function, "{}").await);
        assert_eq!(error["errorType"], error_type, "{name} again: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_cannot_be_loaded_says_why() {
    let Some(bench) = door().await else { return };
    let with = |name, handler, code: &str| Draft { handler, ..node(name, code) };
    for (draft, error_type, message) in [
        (with("a", "nope.handler", ""), "Runtime.ImportModuleError", "Error: Cannot find module 'nope'"),
        (with("b", "app.nope", ""), "Runtime.HandlerNotFound", "app.nope is undefined or not exported"),
        (with("c", "app.x", "exports.x = 1"), "Runtime.HandlerNotFound", "app.x is not a function"),
        (with("d", "handler", ""), "Runtime.MalformedHandlerName", "Bad handler"),
        (
            with("e", "../app.handler", ""),
            "Runtime.MalformedHandlerName",
            "'../app.handler' is not a valid handler name.",
        ),
        (with("f", "app.handler", "exports.handler = ("), "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        (with("g", "app.handler", "throw new RangeError('early')"), "RangeError", "early"),
        (
            with("h", "app.handler", "require('absent')"),
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'absent'",
        ),
    ] {
        let name = draft.name;
        let function = bench.create(draft).await;
        let outcome = bench.invoke(&function, "{}").await;
        assert_eq!(outcome.function_error, Some("Unhandled"));
        let error = json(&outcome);
        assert_eq!(error["errorType"], error_type, "{name}: {error}");
        assert!(error["errorMessage"].as_str().unwrap().starts_with(message), "{name}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_writes_lambdas_lines() {
    let Some(bench) = door().await else { return };
    let code =
        "console.log('at start'); exports.handler = async () => { console.warn('two\\nlines', { a: 1 }); }";
    let function = bench.create(node("f", code)).await;
    bench.invoke(&function, "{}").await;
    let log = bench.log("f").await;
    assert!(log[1].ends_with("Z\tundefined\tINFO\tat start\n"), "{log:?}");
    assert!(log[3].ends_with("\tWARN\ttwo\nlines { a: 1 }\n"), "{log:?}");
    assert_eq!(log[3].split('\t').nth(1).unwrap().len(), 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_event_and_a_large_answer_pass() {
    let Some(bench) = door().await else { return };
    let function = bench.create(node("f", "exports.handler = async (event) => event + event")).await;
    let half = "x".repeat(3_000_000);
    let outcome = bench.invoke(&function, &format!("\"{half}\"")).await;
    assert_eq!((outcome.payload.len(), outcome.function_error), (6_000_002, None));
    let outcome = bench.invoke(&function, &format!("\"{half}{half}\"")).await;
    assert_eq!(json(&outcome)["errorType"], "Function.ResponseSizeTooLarge");
    assert_eq!(text(&bench.invoke(&function, "2").await), "4", "the same process goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streaming_handlers_answer_is_gathered() {
    let Some(bench) = door().await else { return };
    let code = r#"
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if (event.how === 'pipe') {
    await pipeline(Readable.from(['one ', 'two ', 'ü'.repeat(100000)]), stream);
  } else if (event.how === 'http') {
    const http = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
    http.write('body');
    http.end();
  } else if (event.how === 'empty') {
    stream.end();
  } else if (event.how === 'late') {
    stream.write('said');
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new TypeError('too late');
  } else {
    throw new RangeError(`early ${context.functionName}`);
  }
});
"#;
    let function = bench.create(node("f", code)).await;
    let ask = async |how: &str| bench.invoke(&function, &format!(r#"{{"how": "{how}"}}"#)).await;
    let piped = ask("pipe").await;
    assert_eq!(text(&piped), format!("one two {}", "ü".repeat(100_000)));
    assert_eq!(text(&ask("http").await), "{\"statusCode\":201}\0\0\0\0\0\0\0\0body");
    assert_eq!(text(&ask("empty").await), "");
    let early = ask("early").await;
    assert_eq!((&json(&early)["errorType"], early.function_error), (&"RangeError".into(), Some("Unhandled")));
    assert_eq!(json(&early)["errorMessage"], "early f");
    let late = ask("late").await;
    assert_eq!((&json(&late)["errorType"], late.function_error), (&"TypeError".into(), Some("Unhandled")));
    assert_eq!(text(&ask("empty").await), "", "the same process goes on");
    assert_eq!(*bench.invoker.environments().borrow(), 1);
}
