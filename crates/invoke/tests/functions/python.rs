//! Python functions, as under AWS's own runtime client.

use crate::bench::{Bench, Draft, has, invocation, json, narrow_bench, python, text};

async fn door() -> Option<Bench> {
    let bench = narrow_bench().await;
    has(&bench, "python3.11").await.then_some(bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_has_its_event_its_context_and_its_state() {
    let Some(bench) = door().await else { return };
    let function = bench
        .create(python(
            "f",
            r#"
import os
count = 0
def handler(event, context):
    global count
    count += 1
    return {
        "count": count, "event": event, "id": context.aws_request_id, "name": context.function_name,
        "version": context.function_version, "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn,
        "group": context.log_group_name, "stream": context.log_stream_name == os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        "left": 19000 < context.get_remaining_time_in_millis() <= 20000, "identity": context.identity.cognito_identity_id,
        "client": context.client_context.client.app_title if context.client_context else None,
        "trace": os.environ["_X_AMZN_TRACE_ID"], "runtime": os.environ["AWS_EXECUTION_ENV"], "cwd": os.getcwd(),
    }
"#,
        ))
        .await;
    let mut call = invocation(r#"{"a": [1, 2.5, "ü", null]}"#);
    call.trace_id = Some("Root=1-2-3".to_owned());
    call.client_context = Some(r#"{"client": {"app_title": "ünder"}, "custom": {}}"#.to_owned());
    let id = call.request_id.clone();
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let expected = serde_json::json!({
        "count": 1, "event": {"a": [1, 2.5, "ü", null]}, "id": id, "name": "f", "version": "$LATEST",
        "memory": "256", "arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "group": "/aws/lambda/f",
        "stream": true, "left": true, "identity": null, "client": "ünder", "trace": "Root=1-2-3",
        "runtime": "AWS_Lambda_python3.11", "cwd": "/var/task",
    });
    assert_eq!(json(&outcome), expected);
    let second = json(&bench.invoke(&function, "").await);
    assert_eq!(
        (&second["count"], &second["event"], &second["client"]),
        (&2.into(), &serde_json::json!({}), &serde_json::Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_written_as_aws_writes_them() {
    let Some(bench) = door().await else { return };
    let function = bench
        .create(python(
            "f",
            r#"
from decimal import Decimal
answers = {
    "none": None, "text": "ü", "bytes": b"raw \xc3\xbc", "nested": {"a": [1, True]},
    "decimal": {"price": Decimal("1.10"), "text": "1.10"},
}
def handler(event, context):
    return answers[event]
"#,
        ))
        .await;
    for (event, answer) in [
        ("none", "null"),
        ("text", r#""\u00fc""#),
        ("bytes", "raw ü"),
        ("nested", r#"{"a": [1, true]}"#),
        ("decimal", r#"{"price": 1.10, "text": "1.10"}"#),
    ] {
        let outcome = bench.invoke(&function, &format!("\"{event}\"")).await;
        assert_eq!((text(&outcome), outcome.function_error), (answer, None), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_told_with_its_trace_and_the_next_call_works() {
    let Some(bench) = door().await else { return };
    let code = "class Mine(Exception):\n    pass\n\ndef inner():\n    raise Mine('no \u{fc}')\n\ndef handler(event, context):\n    if event == 1:\n        inner()\n    if event == 2:\n        return object()\n    return 'fine'\n";
    let function = bench.create(python("f", code)).await;
    let call = invocation("1");
    let id = call.request_id.clone();
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    assert_eq!(outcome.function_error, Some("Unhandled"));
    let expected = serde_json::json!({
        "errorMessage": "no ü",
        "errorType": "Mine",
        "requestId": id,
        "stackTrace": [
            "  File \"/var/task/app.py\", line 9, in handler\n    inner()\n",
            "  File \"/var/task/app.py\", line 5, in inner\n    raise Mine('no ü')\n",
        ],
    });
    assert_eq!(json(&outcome), expected);
    let outcome = bench.invoke(&function, "2").await;
    let error = json(&outcome);
    assert_eq!(error["errorType"], "Runtime.MarshalError");
    assert_eq!(
        error["errorMessage"],
        "Unable to marshal response: Object of type object is not JSON serializable"
    );
    assert_eq!(text(&bench.invoke(&function, "3").await), "\"fine\"");
    assert_eq!(*bench.invoker.environments().borrow(), 1, "one process did it all");
    let log = bench.log("f").await;
    let error = log.iter().find(|line| line.starts_with("[ERROR] Mine: no ü\nTraceback")).unwrap();
    assert!(error.ends_with("\n\u{a0}\u{a0}\u{a0}\u{a0}raise Mine('no ü')"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_cannot_be_loaded_says_why() {
    let Some(bench) = door().await else { return };
    let with = |name, handler, code: &str| Draft { handler, ..python(name, code) };
    for (draft, error_type, message) in [
        (
            with("a", "nope.handler", ""),
            "Runtime.ImportModuleError",
            "Unable to import module 'nope': No module named 'nope'",
        ),
        (with("b", "app.nope", "x = 1"), "Runtime.HandlerNotFound", "Handler 'nope' missing on module 'app'"),
        (
            with("c", "handler", ""),
            "Runtime.MalformedHandlerName",
            "Bad handler 'handler': not enough values to unpack (expected 2, got 1)",
        ),
        (
            with("d", "app.handler", "def ("),
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app': invalid syntax (app.py, line 1)",
        ),
        (with("e", "app.handler", "raise ValueError('early')"), "ValueError", "early"),
        (
            with("f", "sys.exit", ""),
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module sys as a handler module",
        ),
    ] {
        let name = draft.name;
        let function = bench.create(draft).await;
        let outcome = bench.invoke(&function, "{}").await;
        assert_eq!(outcome.function_error, Some("Unhandled"));
        let error = json(&outcome);
        assert_eq!(
            (&error["errorType"], &error["errorMessage"]),
            (&error_type.into(), &message.into()),
            "{name}"
        );
        assert_eq!(error["requestId"], "", "{name}");
        let log = bench.log(name).await;
        let begins: Vec<&str> = log.iter().map(|event| event.split([' ', '\t']).next().unwrap()).collect();
        let start = ["[WARNING]", "[ERROR]", "INIT_REPORT"];
        assert_eq!(
            begins,
            [&["INIT_START"], &start[..], &start, &["START", "END", "REPORT"]].concat(),
            "{log:#?}"
        );
        assert!(log[1].contains("Z\t\tLAMBDA_WARNING: Unhandled exception. "), "{}", log[1]);
        assert!(log[1].ends_with("latest/dg/runtimes-update.html\r\n"), "{}", log[1]);
        let report = log.iter().find(|line| line.starts_with("REPORT ")).unwrap();
        assert!(report.ends_with(&format!("\tStatus: error\tError Type: {error_type}\n")), "{report}");
    }
    let trace = &json(&bench.invoke(&bench.function("e"), "{}").await)["stackTrace"];
    assert_eq!(trace[0], "  File \"/var/task/app.py\", line 1, in <module>\n    raise ValueError('early')\n");
}

/// Whatever line breaks it has and whatever form it was given; what is printed is an event a line.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_record_is_one_event() {
    let Some(bench) = door().await else { return };
    let code = r#"
import contextlib, io, logging
log = logging.getLogger()
def handler(event, context):
    print("one\ntwo")
    print("begun", end="")
    log.warning("first\nsecond\n")
    with contextlib.redirect_stdout(io.StringIO()):
        log.error("not to be had")
    log.handlers[0].setFormatter(logging.Formatter("plain: %(message)s"))
    log.error("a")
    log.error("b\nc")
"#;
    let function = bench.create(python("f", code)).await;
    bench.invoke(&function, "1").await;
    let log = bench.log("f").await;
    let ends: Vec<&str> =
        log[2..log.len() - 2].iter().map(|event| event.rsplit('\t').next().unwrap()).collect();
    let records = ["first\nsecond\n\n", "not to be had\n", "plain: a", "plain: b\nc"];
    assert_eq!(ends, [&["one\n", "two\n"], &records[..]].concat(), "{log:#?}");
    assert!(log[4].starts_with("begun[WARNING]\t"), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prints_and_log_records_have_lambdas_form() {
    let Some(bench) = door().await else { return };
    let code = r#"
print("at start")
import logging
logging.basicConfig(level=logging.DEBUG, format="not this one: %(message)s")
log = logging.getLogger()
log.setLevel(logging.INFO)
def handler(event, context):
    print("printed", end="")
    log.info("logged %d", 7)
    log.debug("not logged")
"#;
    let function = bench.create(python("f", code)).await;
    let outcome = bench.invoke(&function, "{}").await;
    assert_eq!(text(&outcome), "null");
    let log = bench.log("f").await;
    assert_eq!(log[1], "at start\n");
    assert!(log[2].starts_with("START RequestId: "), "{log:?}");
    let (time, rest) = log[3].strip_prefix("printed[INFO]\t").unwrap().split_once('\t').unwrap();
    assert!(time.ends_with('Z') && time.len() == 24, "{time}");
    let (id, message) = rest.split_once('\t').unwrap();
    assert_eq!((id.len(), message), (36, "logged 7\n"));
    assert!(log[4].starts_with("END "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_event_and_a_large_answer_pass() {
    let Some(bench) = door().await else { return };
    let function = bench.create(python("f", "def handler(event, context):\n    return event * 2\n")).await;
    let half = "x".repeat(3_000_000);
    let outcome = bench.invoke(&function, &format!("\"{half}\"")).await;
    assert_eq!(outcome.payload.len(), 6_000_002);
    assert_eq!(outcome.function_error, None);
    let outcome = bench.invoke(&function, &format!("\"{half}{half}\"")).await;
    assert_eq!(
        text(&outcome),
        r#"{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}"#
    );
    assert_eq!(text(&bench.invoke(&function, "2").await), "4", "the same process goes on");
    assert_eq!(*bench.invoker.environments().borrow(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_lie_where_lambda_has_them() {
    let Some(bench) = door().await else { return };
    let mut draft = python("f", "");
    draft.handler = "deep/er.handler";
    draft.files = vec![
        ("deep/__init__.py", String::new(), 0o644),
        ("deep/er.py", "import beside, sys\ndef handler(event, context):\n    return [beside.name, sys.path[0], exit.__class__.__name__]\n".to_owned(), 0o644),
        ("beside.py", "name = 'beside'\n".to_owned(), 0o644),
    ];
    let function = bench.create(draft).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), r#"["beside", "/var/task", "Quitter"]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapper_starts_the_runtime() {
    let Some(bench) = door().await else { return };
    let code = "import os, sys\ndef handler(event, context):\n    return [os.environ['SET_BY'], sys.flags.dont_write_bytecode]\n";
    let mut draft = python("f", code);
    let wrapper = "#!/bin/bash\necho wrapped $#\nexport SET_BY=wrapper\nexec \"$@\"\n";
    draft.files.push(("bin/wrap", wrapper.to_owned(), 0o755));
    let wrapped_by = |path: &str| Some([("AWS_LAMBDA_EXEC_WRAPPER".to_owned(), path.to_owned())].into());
    draft.environment = wrapped_by("/var/task/bin/wrap");
    let function = bench.create(draft.clone()).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), r#"["wrapper", 1]"#);
    let log = bench.log("f").await;
    assert!(log[1].starts_with("wrapped ") && log[1] != "wrapped 0\n", "{log:?}");
    let absent = Draft { name: "absent", environment: wrapped_by("/opt/none"), ..draft };
    let function = bench.create(absent).await;
    let outcome = bench.invoke(&function, "{}").await;
    assert_eq!(json(&outcome)["errorType"], "Runtime.InvalidEntrypoint");
}
