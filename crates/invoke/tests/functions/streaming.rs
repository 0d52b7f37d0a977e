//! Answers that go to their caller as the function writes them.

use std::future::poll_fn;
use std::time::Duration;

use pitbird_invoke::{Answer, Outcome, Piece, Pieces};
use pitbird_names::VersionId;
use pitbird_snapshot::Function;

use crate::bench::{Bench, bash_loop, bench, invocation, json, node, text};
use crate::node::door;

async fn ask(bench: &Bench, function: &Function, payload: &str) -> Answer {
    let call = bench.invoker.invoke_streaming(function, None, 0.0, invocation(payload));
    tokio::time::timeout(Duration::from_secs(60), call).await.expect("within a minute").unwrap()
}

async fn begin(bench: &Bench, function: &Function, payload: &str) -> Pieces {
    match ask(bench, function, payload).await {
        Answer::Pieces(pieces) => pieces,
        Answer::Whole(outcome) => panic!("{outcome:?}"),
    }
}

async fn next(pieces: &mut Pieces) -> Piece {
    let next = poll_fn(|context| pieces.poll_next(context));
    tokio::time::timeout(Duration::from_secs(60), next).await.expect("within a minute").unwrap()
}

/// All that comes, and how it ended.
async fn rest(pieces: &mut Pieces) -> (Vec<u8>, Outcome) {
    let mut all = Vec::new();
    loop {
        match next(pieces).await {
            Piece::Data(data) => all.extend_from_slice(&data),
            Piece::End(outcome) => return (all, outcome),
        }
    }
}

const NODE: &str = r#"
const { once } = require('events');
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  const said = (text) => new Promise((done) => stream.write(text, done));
  if (event === 'early') throw new RangeError('early');
  stream.setContentType('text/plain');
  await said('one ');
  if (event === 'late') throw new TypeError('late');
  if (event === 'crash') process.kill(process.pid, 'SIGKILL');
  if (event === 'hang') await new Promise(() => setInterval(() => {}, 1000));
  if (event === 'much') {
    const mebibyte = Buffer.alloc(1 << 20);
    for (let at = 0; at < 210; at++) await said(mebibyte);
  }
  await said('two');
  console.log(`said to ${event}`);
  stream.end();
});
"#;

#[tokio::test(flavor = "multi_thread")]
async fn pieces_come_while_the_function_runs() {
    let Some(bench) = door().await else { return };
    let mut draft = node("f", NODE);
    draft.timeout_s = 2;
    let function = bench.create(draft).await;
    let mut pieces = begin(&bench, &function, r#""well""#).await;
    assert_eq!(pieces.executed_version, VersionId::Latest);
    assert_eq!(pieces.content_type.clone().unwrap(), "text/plain");
    let (said, outcome) = rest(&mut pieces).await;
    assert_eq!((said.as_slice(), text(&outcome), outcome.function_error), (&b"one two"[..], "", None));

    let mut pieces = begin(&bench, &function, r#""hang""#).await;
    assert!(matches!(next(&mut pieces).await, Piece::Data(data) if data == "one "));
    let ends = bench.log("f").await.iter().filter(|line| line.starts_with("END")).count();
    assert_eq!(ends, 1, "the second still runs");
    let (more, outcome) = rest(&mut pieces).await;
    assert_eq!((more.len(), outcome.error_type.as_deref()), (0, Some("Sandbox.Timedout")));
    assert!(text(&outcome).contains("Task timed out after 2.00 seconds"), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_on_the_way_is_told_at_the_end() {
    let Some(bench) = door().await else { return };
    let function = bench.create(node("f", NODE)).await;
    for (how, error_type) in [("late", "TypeError"), ("crash", "Runtime.ExitError")] {
        let mut pieces = begin(&bench, &function, &format!("{how:?}")).await;
        let (said, outcome) = rest(&mut pieces).await;
        assert_eq!(said, b"one ", "{how}");
        assert_eq!(
            (outcome.function_error, outcome.error_type.as_deref()),
            (Some("Unhandled"), Some(error_type))
        );
        assert_eq!(json(&outcome)["errorType"], error_type);
    }
    let Answer::Whole(early) = ask(&bench, &function, r#""early""#).await else { panic!("nothing was said") };
    assert_eq!(
        (early.error_type.as_deref(), &json(&early)["errorMessage"]),
        (Some("RangeError"), &"early".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_its_bound() {
    let Some(bench) = door().await else { return };
    let function = bench.create(node("f", NODE)).await;
    let mut pieces = begin(&bench, &function, r#""much""#).await;
    let (said, outcome) = rest(&mut pieces).await;
    assert!(said.len() <= 200 << 20 && said.len() > 199 << 20, "{}", said.len());
    assert_eq!(outcome.error_type.as_deref(), Some("Function.ResponseSizeTooLarge"));
    let (said, _) = rest(&mut begin(&bench, &function, r#""well""#).await).await;
    assert_eq!(said, b"one two", "the function goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_is_forgotten() {
    let Some(bench) = door().await else { return };
    let function = bench.create(node("f", NODE)).await;
    drop(begin(&bench, &function, r#""well""#).await);
    bench.until_log("f", |log| log.iter().any(|line| line.starts_with("REPORT"))).await;
    let log = bench.log("f").await;
    assert!(log.iter().any(|line| line.contains("said to well")), "it went on to its end: {log:?}");
    assert!(!log.iter().any(|line| line.contains("Error Type")), "{log:?}");
    assert_eq!(*bench.invoker.environments().borrow(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_one_piece_comes_whole() {
    let bench = bench().await;
    let function = bench.create(bash_loop("f", r#"respond '{"a":1}'"#)).await;
    let Answer::Whole(outcome) = ask(&bench, &function, "{}").await else { panic!("it was no stream") };
    assert_eq!(text(&outcome), r#"{"a":1}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_broke_off_has_no_second() {
    let bench = bench().await;
    let body = r#"
        exec 3<>"/dev/tcp/$host/$port"
        printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nhost: x\r\n' "$id" >&3
        printf 'lambda-runtime-function-response-mode: streaming\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n' >&3
        exec 3>&-
        reply=; until [[ $reply == *' 202 '* ]]; do respond '"two"'; done"#;
    let function = bench.create(bash_loop("f", body)).await;
    let broken = async {
        loop {
            match ask(&bench, &function, "{}").await {
                Answer::Pieces(mut pieces) => return rest(&mut pieces).await,
                // The connection was gone before anything of it was heard.
                Answer::Whole(outcome) => assert_eq!(text(&outcome), r#""two""#),
            }
        }
    };
    let (said, outcome) = tokio::time::timeout(Duration::from_secs(60), broken).await.expect("it is heard");
    assert_eq!(outcome.error_type.as_deref(), Some("Runtime.TruncatedResponse"));
    assert!(b"one".starts_with(&said), "{said:?}");
}
