//! The Runtime API's HTTP as clients speak it that aren't ours: AWS's own for Java, Python and C++ stand on libcurl, others chunk, expect, or
//! send ahead. All over one connection, as theirs is.

use pitbird_names::limits;
use serde_json::{Value, json};

use crate::bench::{Bench, draft, invocation, json as body, narrow_bench, text};

/// A runtime that answers each event in the way that the event asks for, with what the answer before came to.
const CLIENT: &str = r#"#!/usr/bin/python3
import json, os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
connection = socket.create_connection((host, int(port)))
stream = connection.makefile("rb")
AGENT = f"Host: {host}:{port}\r\nUser-Agent: aws-lambda-java/17.0.9-2.6.0\r\nAccept: */*\r\n"
NEXT = f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n{AGENT}\r\n".encode()

def reply():
    status = stream.readline().decode().split(" ", 1)[1].strip()
    headers = {}
    while line := stream.readline().decode().strip():
        name, value = line.split(":", 1)
        headers[name.lower()] = value.strip()
    return status, headers, stream.read(int(headers.get("content-length", 0)))

def chunks(body, size, trailers=""):
    size = max(size, len(body) // 1000)
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;name=value\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + f"0\r\n{trailers}\r\n".encode()

said, is_asked = None, False
while True:
    if not is_asked:
        connection.sendall(NEXT)
    is_asked = False
    _, headers, event = reply()
    asked = json.loads(event)
    how = asked["how"]
    answer = json.dumps({"how": how, "said": said}, separators=(",", ":"))
    answer = (answer[:-1] + ',"pad":"' + "x" * (asked.get("bytes", 0) - len(answer) - 9) + '"}').encode()
    path = f"/2018-06-01/runtime/invocation/{headers['lambda-runtime-aws-request-id']}/"
    def head(more, call="response"):
        return f"POST {path}{call} HTTP/1.1\r\n{AGENT}{more}\r\n".encode()
    length = f"Content-Length: {len(answer)}\r\n"
    if how == "length":
        connection.sendall(head("Content-Type: application/json\r\n" + length) + answer)
    elif how == "shouted":
        connection.sendall(head(f"CONTENT-TYPE: application/json\r\nCONTENT-LENGTH:{len(answer)}  \r\n") + answer)
    elif how == "pieces":
        for byte in head(length) + answer:
            connection.sendall(bytes([byte]))
    elif how == "chunked":
        connection.sendall(head("transfer-encoding: Chunked\r\nTrailer: X-Sum\r\n") + chunks(answer, 65_521, "X-Sum: 1\r\n"))
    elif how == "expects":
        connection.sendall(head(length + "Expect: 100-continue\r\n"))
        interim, _, _ = reply()
        assert interim == "100 Continue", interim
        connection.sendall(answer)
    elif how == "expects chunked":
        connection.sendall(head("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"))
        interim, _, _ = reply()
        assert interim == "100 Continue", interim
        connection.sendall(chunks(answer, 7))
    elif how == "ahead":
        connection.sendall(head(length) + answer + NEXT)
        is_asked = True
    elif how == "ahead chunked":
        connection.sendall(head("Transfer-Encoding: chunked\r\n") + chunks(answer, 7) + NEXT)
        is_asked = True
    elif how == "error":
        kind = "lambda-runtime-function-error-type: com.example.Broken\r\nLambda-Runtime-Function-XRay-Error-Cause: {}\r\n"
        connection.sendall(head(kind + "Transfer-Encoding: chunked\r\n", "error") + chunks(answer, 7))
    elif how == "error in trailers":
        trailers = "Lambda-Runtime-Function-Error-Type: Function.Late\r\nLambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n"
        more = "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(head(more + "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n")
                           + chunks(answer, 7, trailers))
    said = reply()[0]
"#;

/// Calls the function once; its answer, and the kind of error if it is one.
async fn call(bench: &Bench, function: &pitbird_snapshot::Function, event: Value) -> (Value, Option<String>) {
    let call = bench.invoker.invoke(function, None, 0.0, invocation(&event.to_string()));
    let outcome = call.await.unwrap();
    if outcome.payload.len() < 1000 {
        eprintln!("{event}: {}", text(&outcome));
    }
    (body(&outcome), outcome.error_type.as_deref().map(str::to_owned))
}

async fn client(bench: &Bench) -> Option<std::sync::Arc<pitbird_snapshot::Function>> {
    if !std::path::Path::new("/usr/bin/python3").exists() {
        eprintln!("SKIPPED: no /usr/bin/python3");
        return None;
    }
    let mut draft = draft("f", "provided.al2023");
    draft.files = vec![("bootstrap", CLIENT.to_owned(), 0o755)];
    Some(bench.create(draft).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_sending_an_answer_is_understood() {
    let bench = narrow_bench().await;
    let Some(function) = client(&bench).await else { return };
    let mut said = Value::Null;
    let ways = [
        "length",
        "shouted",
        "pieces",
        "ahead",
        "length",
        "chunked",
        "expects",
        "expects chunked",
        "ahead chunked",
        "length",
        "ahead",
        "chunked",
    ];
    for how in ways {
        let (answer, error) = call(&bench, &function, json!({ "how": how })).await;
        assert_eq!((&answer["how"], &answer["said"], error), (&json!(how), &said, None), "{answer}");
        said = json!("202 Accepted");
    }
    assert_eq!(*bench.invoker.environments().borrow(), 1, "one process, and one connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_their_types_from_headers_and_trailers() {
    let bench = narrow_bench().await;
    let Some(function) = client(&bench).await else { return };
    let (answer, error) = call(&bench, &function, json!({ "how": "error" })).await;
    assert_eq!((&answer["how"], error.as_deref()), (&json!("error"), Some("com.example.Broken")));
    let (answer, error) = call(&bench, &function, json!({ "how": "error in trailers" })).await;
    assert_eq!((&answer, error.as_deref()), (&json!({ "a": 1 }), Some("Function.Late")));
    let (answer, error) = call(&bench, &function, json!({ "how": "length" })).await;
    assert_eq!((&answer["said"], error), (&json!("202 Accepted"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_may_be_so_long_however_they_are_sent() {
    let bench = narrow_bench().await;
    let Some(function) = client(&bench).await else { return };
    let most = limits::INVOKE_PAYLOAD_BYTES;
    for how in ["length", "chunked", "expects", "expects chunked", "ahead", "ahead chunked"] {
        let (answer, error) = call(&bench, &function, json!({ "how": how, "bytes": most })).await;
        assert_eq!((answer.to_string().len(), error), (most, None), "{how}");
        let (answer, error) = call(&bench, &function, json!({ "how": how, "bytes": most + 1 })).await;
        assert_eq!(error.as_deref(), Some("Function.ResponseSizeTooLarge"), "{how} {answer}");
        let (answer, _) = call(&bench, &function, json!({ "how": "length" })).await;
        assert_eq!(answer["said"], "413 Payload Too Large", "{how}");
    }
}
